"""Names sent to Bedrock, held against botocore's own patterns."""

from __future__ import annotations

import random

import pytest

from idp_finetuning.jobs.bedrock_names import bedrock_name, is_job_id
from idp_finetuning.jobs.layout import JobLayout
from idp_finetuning.test_sets.keys import document_id
from idp_finetuning.test_sets.split import Split
from tests.support.domain.service_model import string_problem

JOB = "6f1c2b1e-9a0b-4c3d-8e5f-0123456789ab"
OTHER_JOB = "6f1c2b1e-9a0b-4c3d-8e5f-0123456789ac"
NASTY = [
    "Мой job__v2 .",
    "x" * 200,
    "ab-" * 70,
    "--",
    "__",
    "...",
    "-lead and trail-",
    "👩‍💻🚀",
    "請求書",
    " ",
    "a",
    "9",
    "Zürich Ångström ½ ﬁn",
    "a_b__c",
    "a+b.c",
    "tab\tname",
    "'; DROP TABLE jobs; --",
    "x" * 26 + "-" * 10 + "y",
    "\u200b",
]
SHAPES = ["JobName", "CustomModelName", "ModelDeploymentName", "IdempotencyToken"]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("job_name", NASTY)
def test_a_name_made_of_anything_is_legal_for_job_model_deployment_and_token(job_name: str, shape: str) -> None:
    for stage, attempt in (("training", 1), ("deployment", 1), ("training", 99)):
        name = bedrock_name(job_name, JOB, stage, attempt)  # type: ignore[arg-type]
        assert string_problem("bedrock", shape, name) is None


def test_a_name_of_random_characters_is_legal() -> None:
    rng = random.Random(5)
    for _ in range(500):
        job_name = "".join(chr(rng.choice((rng.randrange(32, 127), rng.randrange(0x2FFFF)))) for _ in range(40))
        name = bedrock_name(job_name, JOB, "training", 1)
        assert [string_problem("bedrock", shape, name) for shape in SHAPES] == [None] * 4, ascii(job_name)


@pytest.mark.parametrize("job_name", NASTY)
def test_two_jobs_of_one_name_and_two_attempts_never_meet(job_name: str) -> None:
    names = {
        bedrock_name(job_name, job, stage, attempt)
        for job in (JOB, OTHER_JOB)
        for stage in ("training", "deployment")
        for attempt in (1, 2, 11)
    }
    assert len(names) == 12


def test_a_name_still_shows_what_the_user_typed() -> None:
    assert bedrock_name("Invoices & Receipts v2", JOB, "training", 1).startswith("invoices-receipts-v2-6f1c2b1e")


@pytest.mark.parametrize("key", ["sub dir/ä b.pdf", "x" * 900, "日本語/1.pdf", "a+b=c&d%20.pdf"])
def test_every_key_of_a_job_is_one_bedrock_can_read(key: str) -> None:
    layout = JobLayout(job_id=JOB)
    document = document_id(key)
    for path in (layout.page(document, 500), layout.example(Split.TRAIN, document), layout.dataset(Split.VALIDATION)):
        assert string_problem("bedrock", "S3Uri", f"s3://data/{path}") is None
    assert string_problem("bedrock", "S3Uri", f"s3://data/{layout.output}") is None


def test_paths_that_look_alike_have_different_documents_ids() -> None:
    paths = ["a b.pdf", "a_b.pdf", "a-b.pdf", "a/b.pdf", "A b.pdf", "ä.pdf", "a\u0308.pdf"]
    assert len({document_id(path) for path in paths}) == len(paths)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (JOB, True),
        (JOB.upper(), False),
        (JOB.replace("-", ""), False),
        (f"{{{JOB}}}", False),
        ("other", False),
        ("", False),
    ],
)
def test_only_ids_as_jobs_get_them_are_job_ids(text: str, expected: bool) -> None:
    """What looks different in S3 was put there by somebody else."""
    assert is_job_id(text) is expected
