"""From a test set to a data set, each function run twice with the same event."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from PIL import Image

from idp_finetuning.adapters.tables.jobs import JobTable
from idp_finetuning.adapters.tables.test_sets import TestSetTable
from idp_finetuning.errors import DatasetUnusable, DocumentRejected, ModelUnavailable, StaleState, TestSetInvalid
from idp_finetuning.jobs.job import JobConfiguration, JobStatus
from idp_finetuning.nova.base_models import find_base_model
from idp_finetuning.nova.prompt import TASK_PROMPT, DocumentClass
from tests.support.domain.fake_bedrock import FakeBedrock
from tests.support.domain.pipeline import Pipeline
from tests.support.domain.samples import coloured_pdf, job, ready_test_set, upload_test_set
from tests.support.domain.service_model import string_problem
from tests.support.domain.situations import rewrite

ROOT = f"jobs/{job().id}/"
OTHER = "6f1c2b1e-0000-4000-8000-000000000002"


def read(s3: Any, key: str) -> Any:
    """JSON of the job's data."""
    return json.loads(s3.get_object(Bucket="data", Key=ROOT + key)["Body"].read())


def read_lines(s3: Any, key: str) -> list[Any]:
    """Records of the job's data set."""
    body = s3.get_object(Bucket="data", Key=ROOT + key)["Body"].read()
    return [json.loads(line) for line in body.splitlines()]


def prepare(pipeline: Pipeline, s3: Any, event: dict[str, Any], *, times: int = 1) -> None:
    """Validates and generates all examples; what cannot be used is rejected as the workflow's Catch does."""
    pipeline.run("ValidateTestSet", event, times=times)
    for document in read(s3, "manifest.json"):
        child = event | {"document": document}
        try:
            pipeline.run("GenerateExample", child, times=times)
        except DocumentRejected as rejected:
            error = {"Error": "DocumentRejected", "Cause": json.dumps({"errorMessage": str(rejected)})}
            pipeline.run("RejectDocument", child | {"error": error}, times=times)


def test_labels_become_records_exactly_as_the_section_files_say(
    pipeline: Pipeline, s3: Any, jobs: JobTable, event: dict[str, Any]
) -> None:
    prepare(pipeline, s3, event, times=2)
    pipeline.run("AssembleDataset", event, times=2)
    manifest = {d["documentId"]: d for d in read(s3, "manifest.json")}
    records = {"train": read_lines(s3, "dataset/train.jsonl"), "validation": read_lines(s3, "dataset/validation.jsonl")}
    assert {split: len(lines) for split, lines in records.items()} == {"train": 22, "validation": 2}
    pages = set()
    for split, lines in records.items():
        for record in lines:
            (image,) = (block["image"] for block in record["messages"][0]["content"] if "image" in block)
            uri = image["source"]["s3Location"]["uri"]
            assert image["source"]["s3Location"]["bucketOwner"] == "123456789012"
            document, page = uri.removeprefix(f"s3://data/{ROOT}pages/").removesuffix(".jpeg").split("/")
            assert string_problem("bedrock", "S3Uri", uri) is None
            assert manifest[document]["split"] == split
            (section,) = (s for s in manifest[document]["sections"] if int(page) - 1 in s["pageIndices"])
            assert json.loads(record["messages"][1]["content"][0]["text"]) == {
                "class": section["className"],
                "document_boundary": "start" if min(section["pageIndices"]) == int(page) - 1 else "continue",
            }
            pages.add((document, page))
    assert len(pages) == 24


def test_a_job_of_a_configuration_version_trains_with_its_prompt_and_descriptions(
    pipeline: Pipeline, s3: Any, jobs: JobTable, event: dict[str, Any]
) -> None:
    classes = (DocumentClass(name="invoice", description="Asks for money."), DocumentClass(name="memo"))
    taken = JobConfiguration(
        config_version="claims", revision=2, system_prompt="Sort.", task_prompt=TASK_PROMPT, classes=classes
    )
    other = jobs.create(job(OTHER, config_version="claims"), None, "", taken)
    pipeline.run("ValidateTestSet", other.current_run.to_wire(), times=2)
    body = s3.get_object(Bucket="data", Key=f"jobs/{OTHER}/prompt.json")["Body"].read()
    assert json.loads(body) == {
        "systemPrompt": "Sort.",
        "taskPrompt": TASK_PROMPT,
        "classes": [{"name": "invoice", "description": "Asks for money."}, {"name": "letter", "description": ""}],
    }
    warnings = jobs.get(OTHER).warnings
    assert any(warning.endswith("does not learn: 1 of 2. getConfigVersion lists its classes.") for warning in warnings)
    assert any(warning.endswith("they train without a description: letter") for warning in warnings)


def test_each_page_is_its_own_picture(pipeline: Pipeline, s3: Any, event: dict[str, Any]) -> None:
    prepare(pipeline, s3, event)
    for document in read(s3, "manifest.json"):
        number = int(document["key"].rpartition("doc ")[2].removesuffix(".pdf"))
        for page in (1, 2):
            body = s3.get_object(Bucket="data", Key=f"{ROOT}pages/{document['documentId']}/{page}.jpeg")["Body"].read()
            red, green, blue = Image.open(io.BytesIO(body)).getpixel((20, 20))  # type: ignore[misc]
            expected = (number / 12 * 255, (page - 1) / 2 * 255, 127)
            assert all(abs(a - b) < 8 for a, b in zip((red, green, blue), expected, strict=True))


def test_the_job_tells_what_became_of_its_documents(
    pipeline: Pipeline, s3: Any, jobs: JobTable, event: dict[str, Any]
) -> None:
    s3.put_object(Bucket="documents", Key="docsplit/input/sub 1/doc 1.pdf", Body=b"not a PDF")
    prepare(pipeline, s3, event, times=2)
    assert jobs.get(event["jobId"]).status is JobStatus.GENERATING_DATA
    pipeline.run("AssembleDataset", event, times=2)
    report = read(s3, "dataset/report.json")
    assert (report["found"], report["accepted"], report["rejected"]) == (12, 11, 1)
    (rejected,) = report["rejectedDocuments"]
    assert (rejected["key"], rejected["code"]) == ("docsplit/input/sub 1/doc 1.pdf", "unsupported_type")
    documents = jobs.get(event["jobId"]).documents
    assert documents
    assert (documents.found, documents.rejected, documents.train + documents.validation) == (12, 1, 11)


def test_files_of_other_tools_are_not_counted_and_named_in_a_warning(
    pipeline: Pipeline, s3: Any, jobs: JobTable, event: dict[str, Any]
) -> None:
    other = {"sub 1/Thumbs.db": b"x", "sub 1/notes.txt": b"notes", "sub 1/~$a.docx": b"x", "sub 1/empty.pdf": b""}
    for path, content in (other | {"sub 1/scan": coloured_pdf((0, 0, 1))}).items():
        s3.put_object(Bucket="documents", Key=f"docsplit/input/{path}", Body=content)
        label = f"docsplit/baseline/{path}/sections/1/result.json"
        s3.put_object(Bucket="documents", Key=label, Body=b'{"document_class": "letter"}')
    pipeline.run("ValidateTestSet", event)
    paths = {document["key"].removeprefix("docsplit/input/") for document in read(s3, "manifest.json")}
    assert "sub 1/scan" in paths
    assert paths.isdisjoint(other)
    (warning,) = (text for text in jobs.get(job().id).warnings if "no documents" in text)
    assert warning.startswith("Files that are no documents are left out (4): sub 1/Thumbs.db (written by Windows), ")
    assert all(path in warning for path in other)


def test_a_document_with_neither_example_nor_rejection_counts_as_rejected(
    pipeline: Pipeline, s3: Any, event: dict[str, Any]
) -> None:
    prepare(pipeline, s3, event)
    lost = next(d for d in read(s3, "manifest.json") if d["split"] == "train")
    s3.delete_object(Bucket="data", Key=f"{ROOT}examples/train/{lost['documentId']}.jsonl")
    pipeline.run("AssembleDataset", event)
    (rejected,) = read(s3, "dataset/report.json")["rejectedDocuments"]
    assert (rejected["key"], rejected["code"]) == (lost["key"], "no_result")


def test_a_document_with_an_example_is_accepted_though_a_later_run_rejected_it(
    pipeline: Pipeline, s3: Any, event: dict[str, Any]
) -> None:
    prepare(pipeline, s3, event)
    document = read(s3, "manifest.json")[0]
    pipeline.run("RejectDocument", event | {"document": document, "error": {"Error": "Sandbox.Timedout", "Cause": ""}})
    pipeline.run("AssembleDataset", event)
    assert read(s3, "dataset/report.json")["rejected"] == 0


def test_too_many_rejected_documents_end_the_job_after_the_report_is_written(
    pipeline: Pipeline, s3: Any, event: dict[str, Any]
) -> None:
    for number in (1, 3):
        s3.put_object(Bucket="documents", Key=f"docsplit/input/sub 1/doc {number}.pdf", Body=b"text")
    prepare(pipeline, s3, event)
    for _ in range(2):
        with pytest.raises(DatasetUnusable, match=r"^2 of 12 documents could not be used.*The file is neither a PDF"):
            pipeline.run("AssembleDataset", event)
    assert read(s3, "dataset/report.json")["rejected"] == 2


def test_a_document_of_more_pages_than_its_labels_tell_is_rejected(
    pipeline: Pipeline, s3: Any, event: dict[str, Any]
) -> None:
    s3.put_object(
        Bucket="documents", Key="docsplit/input/sub 1/doc 1.pdf", Body=coloured_pdf((0, 0, 0), (0, 0, 0), (1, 1, 1))
    )
    prepare(pipeline, s3, event)
    pipeline.run("AssembleDataset", event)
    (rejected,) = read(s3, "dataset/report.json")["rejectedDocuments"]
    assert rejected["code"] == "label_mismatch"
    assert rejected["reason"].startswith("The labels have 2 pages, the document has 3.")


def test_a_document_that_takes_too_long_is_given_up_before_the_function_ends(
    pipeline: Pipeline, s3: Any, event: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline.run("ValidateTestSet", event)
    monkeypatch.setattr("idp_finetuning.adapters.services.Services.seconds_left", lambda self: 29)
    with pytest.raises(DocumentRejected, match=r"too_slow: .* 0 of 2 pages were done"):
        pipeline.run("GenerateExample", event | {"document": read(s3, "manifest.json")[0]})


def test_a_test_set_that_breaks_a_rule_ends_the_job_before_anything_is_written(
    pipeline: Pipeline, s3: Any, event: dict[str, Any]
) -> None:
    s3.delete_object(Bucket="documents", Key="docsplit/baseline/sub 0/doc 0.pdf/sections/1/result.json")
    with pytest.raises(TestSetInvalid, match=r"1 document has sections that leave pages out: sub 0/doc 0\.pdf"):
        pipeline.run("ValidateTestSet", event)
    assert not [key for key in pipeline.state() if key.startswith(f"data/{ROOT}")]


def test_a_test_set_whose_deletion_has_begun_ends_the_job_before_anything_is_read(
    pipeline: Pipeline, test_sets: TestSetTable, event: dict[str, Any]
) -> None:
    test_sets.close("docsplit")
    with pytest.raises(TestSetInvalid, match="Test set 'docsplit' is not ready: it is being deleted"):
        pipeline.run("ValidateTestSet", event)
    assert not [key for key in pipeline.state() if key.startswith("data/")]


def test_a_model_the_account_does_not_offer_ends_the_job_and_names_those_it_does(
    pipeline: Pipeline, fake_bedrock: FakeBedrock, event: dict[str, Any]
) -> None:
    fake_bedrock.offered = ["amazon.nova-micro-v1:0:128k"]
    with pytest.raises(ModelUnavailable, match=r"Nova Lite v1 .* It offers: amazon\.nova-micro-v1:0:128k\."):
        pipeline.run("ValidateTestSet", event)


@pytest.mark.parametrize("offered", ["amazon.nova-lite-v1:0", "amazon.nova-lite-v1:0:300k"])
def test_a_model_is_offered_under_its_plain_id_or_with_its_context_length(
    pipeline: Pipeline, fake_bedrock: FakeBedrock, jobs: JobTable, event: dict[str, Any], offered: str
) -> None:
    fake_bedrock.offered = [offered]
    pipeline.run("ValidateTestSet", event)
    assert jobs.get(event["jobId"]).status is JobStatus.GENERATING_DATA


def test_a_list_of_models_that_cannot_be_had_is_only_a_warning(
    pipeline: Pipeline, fake_bedrock: FakeBedrock, jobs: JobTable, event: dict[str, Any]
) -> None:
    fake_bedrock.failures["ListFoundationModels"] = ["AccessDeniedException"]
    pipeline.run("ValidateTestSet", event)
    assert any("could not be checked" in warning for warning in jobs.get(event["jobId"]).warnings)


def test_a_job_that_failed_meanwhile_prepares_nothing(
    pipeline: Pipeline, jobs: JobTable, event: dict[str, Any]
) -> None:
    jobs.move(job().current_run, JobStatus.FAILED)
    for function in ("ValidateTestSet", "AssembleDataset"):
        with pytest.raises(StaleState):
            pipeline.run(function, event)


def test_a_model_without_validation_sets_gets_no_validation_file(
    pipeline: Pipeline, s3: Any, jobs: JobTable, event: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    base_model = "us.amazon.nova-2-lite-v1:0"
    rewrite(jobs, event["jobId"], base_model=base_model)
    model = find_base_model(base_model).model_copy(update={"minimum_records": 8})
    for module in ("stages.prepare", "test_sets.validation"):
        monkeypatch.setattr(f"idp_finetuning.{module}.find_base_model", lambda _: model)
    prepare(pipeline, s3, event)
    pipeline.run("AssembleDataset", event)
    assert f"data/{ROOT}dataset/validation.jsonl" not in pipeline.state()
    assert read(s3, "dataset/report.json")["validation"]["pages"] == 2
    assert jobs.get(event["jobId"]).validation_records == 0


def test_the_training_records_are_written_repeat_times_one_round_after_the_other(
    pipeline: Pipeline, s3: Any, jobs: JobTable, event: dict[str, Any]
) -> None:
    rewrite(jobs, event["jobId"], repeat=3)
    prepare(pipeline, s3, event)
    pipeline.run("AssembleDataset", event, times=2)
    lines = read_lines(s3, "dataset/train.jsonl")
    assert len(lines) == 66
    assert lines == lines[:22] * 3
    assert len(read_lines(s3, "dataset/validation.jsonl")) == 2
    report = read(s3, "dataset/report.json")
    assert (report["repeat"], report["train"]["pages"], report["bedrockRecords"]) == (3, 22, None)


def test_a_model_near_its_end_of_life_is_a_warning_of_the_job(
    pipeline: Pipeline, fake_bedrock: FakeBedrock, jobs: JobTable, event: dict[str, Any]
) -> None:
    fake_bedrock.lifecycles["amazon.nova-lite-v1:0:300k"] = {"status": "LEGACY"}
    pipeline.run("ValidateTestSet", event, times=2)
    assert any(warning.startswith("Nova Lite v1 is LEGACY") for warning in jobs.get(event["jobId"]).warnings)


def test_what_became_of_each_document_is_written_the_held_out_ones_first(
    pipeline: Pipeline, s3: Any, event: dict[str, Any]
) -> None:
    s3.put_object(Bucket="documents", Key="docsplit/input/sub 1/doc 1.pdf", Body=b"not a PDF")
    prepare(pipeline, s3, event)
    pipeline.run("AssembleDataset", event, times=2)
    manifest = read(s3, "manifest.json")
    listed = read_lines(s3, "dataset/documents.jsonl")
    assert [item["side"] for item in listed] == ["validation"] + ["train"] * 11
    assert {(f"docsplit/input/{item['path']}", item["side"]) for item in listed} == {
        (item["key"], item["split"]) for item in manifest
    }
    by_path = {item["path"]: item for item in listed}
    assert by_path["sub 0/doc 0.pdf"]["classes"] == ["letter", "invoice"]
    bad = by_path.pop("sub 1/doc 1.pdf")
    assert (bad["pages"], bad["code"]) == (None, "unsupported_type")
    assert bad["reason"]
    assert {(item["pages"], item["code"]) for item in by_path.values()} == {(2, None)}


def test_no_held_out_document_left_is_a_warning_of_the_job(
    pipeline: Pipeline, s3: Any, jobs: JobTable, event: dict[str, Any]
) -> None:
    pipeline.run("ValidateTestSet", event)
    (held_out,) = (d for d in read(s3, "manifest.json") if d["split"] == "validation")
    before = jobs.get(event["jobId"]).warnings
    s3.put_object(Bucket="documents", Key=held_out["key"], Body=b"")
    prepare(pipeline, s3, event)
    pipeline.run("AssembleDataset", event, times=2)
    (warning,) = set(jobs.get(event["jobId"]).warnings) - set(before)
    assert warning.startswith("No held-out document is left: all 1 were rejected.")
    assert len(jobs.get(event["jobId"]).warnings) == len(before) + 1
    assert read(s3, "dataset/report.json")["warnings"].count(warning) == 1


def test_a_job_records_the_version_of_the_test_set_that_it_read(
    pipeline: Pipeline, jobs: JobTable, test_sets: TestSetTable, s3: Any
) -> None:
    upload_test_set(s3)
    test_sets.create(ready_test_set().model_copy(update={"version": 7}))
    run = jobs.create(job(), None, "").current_run
    pipeline.run("ValidateTestSet", run.to_wire())
    assert jobs.get(run.job_id).test_set_version == 7
