from __future__ import annotations

from idp_cli.session import STAND_IN
from idp_finetuning.evaluation.judged import JudgedDocument
from idp_local.demo.wording import (
    answer_lines,
    choice_lines,
    ignored_lines,
    model_line,
)
from idp_sdk import BaseModel as OfferedModel
from idp_sdk import IgnoredFile
from tests.support.judged import judged

NOVA_2 = OfferedModel(
    id="us.amazon.nova-2-lite-v1:0",
    name="Nova 2 Lite",
    provider="Amazon",
    label="recommended",
    minimum_records=200,
    maximum_records=20_000,
    validation_supported=False,
)
NOVA_1 = OfferedModel(
    id="us.amazon.nova-lite-v1:0",
    name="Nova Lite v1",
    provider="Amazon",
    label="legacy",
    minimum_records=8,
    maximum_records=20_000,
    validation_supported=True,
)


def answers(*pages: tuple[str, str]) -> list[JudgedDocument]:
    """Return a document of one page for each truth and answer."""
    return [
        judged(f"+{given}", [(truth, None)], path=f"scans/März {number}.pdf")
        for number, (truth, given) in enumerate(pages, start=1)
    ]


def test_answers_stand_against_the_truth_and_wrong_ones_are_marked() -> None:
    lines = answer_lines(answers(("w2", "w2"), ("w2", "letter"), ("w2", "?")))
    assert ["<- wrong" in line for line in lines] == [False, False, True, True, False]
    assert "no usable answer" in lines[3]
    assert lines[-1] == f"1 of 3 classes right ({STAND_IN})"


def test_the_choice_says_which_model_and_why_not_the_ones_before() -> None:
    reason = "Nova 2 Lite needs at least 200 training pages; the training share of this test set has 121."
    assert choice_lines(NOVA_1, [(NOVA_2, reason)]) == [
        f"Nova 2 Lite (recommended): not used. {reason}",
        "Nova Lite v1 (legacy): used, the first of the catalogue that this test set is big enough for "
        "(at least 8 training pages).",
    ]


def test_a_model_without_validation_sets_says_so() -> None:
    assert model_line(NOVA_2) == "Nova 2 Lite (recommended): at least 200 training pages, no validation file"
    assert model_line(NOVA_1) == "Nova Lite v1 (legacy): at least 8 training pages, with validation file"


def test_ignored_files_are_named_with_their_reasons() -> None:
    files = [IgnoredFile(path="a b.pdf", reason="outside a class folder"), IgnoredFile(path=".git/", reason="hidden")]
    assert ignored_lines(files) == ["a b.pdf  outside a class folder", ".git/    hidden"]


def test_a_name_that_cannot_be_printed_is_escaped() -> None:
    file = IgnoredFile(path="a\x1b[2Jb\udcff.pdf", reason="name with characters that cannot be printed")
    assert ignored_lines([file])[0].startswith(r"a\x1b[2Jb\udcff.pdf  name")
