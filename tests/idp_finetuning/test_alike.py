"""Names and answers that people take for the same, and values that JSON cannot hold."""

from __future__ import annotations

import math

import pytest

from idp_finetuning.text import find_alike, look_alikes, normal_form, spell_out, why_unsendable

NFC, NFD = "R\u00e9sum\u00e9", "Re\u0301sume\u0301"


@pytest.mark.parametrize(
    "other",
    [
        "bank statement",
        "BANK  Statement",
        "Bank\u00a0Statement",
        "Bank\u2003Statement ",
        "\uff22\uff41\uff4e\uff4b\u3000\uff33tatement",
        "Ba\u200bnk Statement",
        "Bank\u200d \ufeffState\u00adment",
        "Bank Statement\ufe0f",
        "\u202eBank Statement\u202c",
        "Bank \u2060 Statement",
    ],
)
def test_spellings_that_look_alike_have_one_normal_form(other: str) -> None:
    assert normal_form(other) == normal_form("Bank Statement") == "bank statement"


def test_composed_and_decomposed_letters_are_alike_and_other_letters_are_not() -> None:
    assert normal_form(NFC) == normal_form(NFD)
    assert normal_form("\u1fb3") == normal_form("\u0391\u0399")  # folding alone leaves it composed
    assert normal_form("Resume") != normal_form(NFC)
    assert normal_form("W-2") != normal_form("W2")
    assert normal_form("\u200b \ufeff") == ""


def test_only_names_that_something_is_like_are_grouped() -> None:
    assert look_alikes(["tax", NFD, "Tax", "letter", NFC]) == [("Tax", "tax"), (NFD, NFC)]


def test_a_name_that_looks_like_another_is_spelled_out() -> None:
    assert spell_out("Tax") == "'Tax'"
    assert spell_out(NFD) == f"'{NFD}' (\"Re\\u0301sume\\u0301\")"
    assert spell_out("pay  stub") == "'pay  stub' (\"pay  stub\")"


def test_an_answer_is_the_only_name_it_is_like() -> None:
    assert find_alike("INVOICE ", ["invoice", "letter"]) == "invoice"
    assert find_alike(NFD, [NFC, "letter"]) == NFC
    assert find_alike("TAX", ["Tax", "tax"]) is None
    assert find_alike("tax", ["Tax", "tax"]) == "tax"
    assert find_alike("", ["\u200b"]) is None
    assert find_alike(["invoice"], ["invoice"]) is None


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ({"a": [1, 0.5, None, True, "\U0001f600"]}, None),
        ({"trainSplit": math.nan}, "trainSplit is not a number. Give a number."),
        ({"input": {"temperature": -math.inf}}, "input.temperature is infinite. Give a number."),
        ({"files": [{"key": "a"}, {"key": "\udcff"}]}, "files.1.key has characters that are not UTF-8. Correct it."),
    ],
)
def test_what_json_cannot_hold_is_named(value: object, reason: str | None) -> None:
    assert why_unsendable(value) == reason
