"""Account ids and roles in texts that AWS wrote and everyone reads."""

from __future__ import annotations

import pytest

from idp_finetuning.text import hide_account

DENIED = (
    "User: arn:aws:sts::123456789012:assumed-role/idp-finetuning-Role1/fn is not authorized to perform: "
    "bedrock:GetCustomModel on resource: arn:aws:bedrock:us-east-1:123456789012:custom-model/abc because no policy"
)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (
            DENIED,
            "User: (role) is not authorized to perform: bedrock:GetCustomModel on resource: "
            "arn:aws:bedrock:us-east-1:<account>:custom-model/abc because no policy",
        ),
        ("Role arn:aws:iam::123456789012:role/path/x.y.", "Role (role)."),
        ("'arn:aws-us-gov:iam::123456789012:user/me'", "'(role)'"),
        ("Account 123456789012.", "Account <account>."),
        ("account: '123456789012', again", "account: '<account>', again"),
        ("No access to s3://data-123456789012-us/jobs/1", "No access to s3://data-<account>-us/jobs/1"),
    ],
)
def test_account_ids_and_roles_are_hidden(text: str, shown: str) -> None:
    assert hide_account(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "There is no job '6f1c2b1e-0000-4000-8000-000000000001'.",
        "1 document has no baseline: march/202611221030.pdf. Correct the labels.",
        "scan-202611221030.tiff, 202611221030/1.png",
        "1234567890123 bytes, 12345678901 pages",
        "s3://documents/docsplit/input/202611221030.pdf",
    ],
)
def test_what_only_looks_like_an_account_stays(text: str) -> None:
    assert hide_account(text) == text
