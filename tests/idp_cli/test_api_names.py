from __future__ import annotations

import pytest

from idp_cli.api_names import in_cli_words


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("input.classification.temperature: input should be at most 1.", "--temperature: input should be at most 1."),
        ("baseModel is not a model that can be fine-tuned.", "--base-model is not a model that can be fine-tuned."),
        ("Remove documents or lower trainSplit.", "Remove documents or lower --train-split."),
        ("There is no job 'trainSplit'; the model is gone.", "There is no job 'trainSplit'; the model is gone."),
        (
            "name: string should match pattern '^[a-z]{1,50}$'.",
            "name: has a character that is not allowed, or is empty or too long.",
        ),
        ("listTestSets shows those there are.", "`idp-cli testset list` shows those there are."),
    ],
)
def test_a_message_names_options_and_commands(said: str, shown: str) -> None:
    assert in_cli_words(said) == shown
