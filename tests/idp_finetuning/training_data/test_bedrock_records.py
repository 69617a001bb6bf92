"""Bedrock's manifest reports."""

from __future__ import annotations

import pytest

from idp_finetuning.training_data.bedrock_records import BedrockRecords, parse_record_counts

HEADER = b"fileName,totalProcessedRecordCount,acceptedRecordCount,partiallyAcceptedRecordCount,rejectedRecordCount\n"


def test_counts_are_read_by_the_columns_names() -> None:
    content = HEADER + b"s3://data/jobs/1/dataset/train.jsonl,189,185,1,3\nvalidation.jsonl,21,21,,0\n"
    assert parse_record_counts(content) == (
        BedrockRecords(file_name="train.jsonl", total=189, accepted=185, partially_accepted=1, rejected=3),
        BedrockRecords(file_name="validation.jsonl", total=21, accepted=21, partially_accepted=0, rejected=0),
    )
    swapped = b"\xef\xbb\xbfrejectedRecordCount,fileName,acceptedRecordCount,totalProcessedRecordCount\n0,t,2,2\n"
    assert parse_record_counts(swapped)[0].accepted == 2


@pytest.mark.parametrize(
    "content", [b"", HEADER, b"\xff\x00nonsense", b"a,b\n1,2\n", HEADER + b"t,many,1,0,0\n", HEADER + b"t\n"]
)
def test_a_file_of_another_form_has_no_counts(content: bytes) -> None:
    assert parse_record_counts(content) == ()


def test_records_that_were_not_accepted_whole_are_warned_of() -> None:
    counts = BedrockRecords(file_name="train.jsonl", total=189, accepted=189, partially_accepted=0, rejected=0)
    assert counts.warning is None
    some = counts.model_copy(update={"accepted": 185, "partially_accepted": 1, "rejected": 3})
    assert some.warning
    assert some.warning.startswith("Bedrock rejected 3 of the 189 records of train.jsonl and accepted 1 only in part.")
