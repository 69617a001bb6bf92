"""The prompt a job trains with: texts and descriptions of its version, classes of its test set."""

from __future__ import annotations

from typing import Any

from idp_finetuning.jobs.job import JobConfiguration
from idp_finetuning.nova.prompt import SYSTEM_PROMPT, TASK_PROMPT, DocumentClass
from idp_finetuning.training_data.job_prompt import make_job_prompt


def configuration(*classes: DocumentClass, **changes: Any) -> JobConfiguration:
    """What a job took from version claims."""
    values: dict[str, Any] = {"system_prompt": "Sort.", "task_prompt": TASK_PROMPT, "classes": classes, "revision": 3}
    return JobConfiguration(config_version="claims", **(values | changes))


def test_without_a_version_it_is_the_built_in_one() -> None:
    made = make_job_prompt(None, ["letter", "invoice"])
    assert (made.prompt.system_prompt, made.prompt.task_prompt) == (SYSTEM_PROMPT, TASK_PROMPT)
    assert made.prompt.classes == (DocumentClass(name="invoice"), DocumentClass(name="letter"))
    assert made.warnings == ()


def test_the_version_describes_the_classes_of_the_test_set() -> None:
    described = configuration(
        DocumentClass(name="letter", description="Dear"), DocumentClass(name="invoice", description="Pay")
    )
    made = make_job_prompt(described, ["letter", "invoice"])
    assert made.prompt.system_prompt == "Sort."
    assert [(item.name, item.description) for item in made.prompt.classes] == [("invoice", "Pay"), ("letter", "Dear")]
    assert made.warnings == ()


def test_classes_that_only_one_of_them_knows_are_warned_of() -> None:
    described = configuration(DocumentClass(name="memo", description="Dear"), DocumentClass(name="invoice"))
    made = make_job_prompt(described, ["letter", "invoice"])
    assert [item.name for item in made.prompt.classes] == ["invoice", "letter"]
    unlabelled, undescribed = made.warnings
    assert unlabelled.startswith("Configuration version 'claims' has classes without a labelled document")
    assert unlabelled.endswith(": 1 of 2. getConfigVersion lists its classes.")
    assert undescribed.endswith("they train without a description: letter")


def test_a_class_that_looks_the_same_gives_its_description_and_the_label_its_name() -> None:
    described = configuration(DocumentClass(name="Re\u0301sume\u0301  CV", description="Life"))
    made = make_job_prompt(described, ["r\u00e9sum\u00e9 cv"])
    assert made.prompt.classes == (DocumentClass(name="r\u00e9sum\u00e9 cv", description="Life"),)
    assert made.warnings == ()


def test_of_two_classes_that_look_the_same_neither_describes() -> None:
    described = configuration(
        DocumentClass(name="Letter", description="one"), DocumentClass(name="LETTER", description="two")
    )
    made = make_job_prompt(described, ["letter"])
    assert made.prompt.classes == (DocumentClass(name="letter"),)


def test_warnings_which_everybody_reads_name_no_class_that_only_the_version_knows() -> None:
    described = configuration(DocumentClass(name="secret", description="hush"), DocumentClass(name="letter"))
    assert not [warning for warning in make_job_prompt(described, ["letter"]).warnings if "secret" in warning]


def test_a_version_without_classes_describes_none_and_warns_of_none() -> None:
    made = make_job_prompt(configuration(), ["letter"])
    assert made.prompt.classes == (DocumentClass(name="letter"),)
    assert made.warnings == ()
