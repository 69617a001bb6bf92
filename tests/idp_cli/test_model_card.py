"""The model card: everything that is known of a model, and names from others as text."""

from __future__ import annotations

import json

from idp_cli.model_card import prompt_hash
from idp_sdk import DocumentClass, Prompt
from tests.idp_cli.conftest import Run
from tests.support.cli import samples
from tests.support.cli.deployment import Deployment, Refused

CARD = ("finetuning", "card", "--job-id", samples.JOB_ID)


def test_the_card_has_data_split_prompt_verdict_and_known_confusions(run: Run, deployment: Deployment) -> None:
    deployment.fields["getFinetuningJob"] = lambda given: samples.completed_job(evaluation=samples.evaluation())
    ran = run(*CARD)
    assert ran.code == 0, ran.err
    for part in (
        "# my-classifier",
        "| Base model | Nova Pro (us.amazon.nova-pro-v1:0) |",
        "| Test set | docsplit (docsplit), 90 % to train |",
        "| Hyperparameters | epochCount 2,",
        "149 of 150 documents were used, 1 were rejected.",
        "| w2 | 250 | 28 |",
        "The custom model is better than the base model with the same prompt: +66.7 points",
        "1 of 12 pages asked about twice were answered differently",
        "| the custom model | 91.7 % (59.7 to 99.8) |",
        "- invoice taken for letter: 1 pages",
    ):
        assert part in ran.out, part
    content = json.loads(run(*CARD, "--json").out)
    assert content["evaluation"]["number"] == 1
    assert content["promptSha256"] in ran.out


def test_a_model_that_was_not_evaluated_has_a_card_too(run: Run, deployment: Deployment) -> None:
    def refuse(given: object) -> object:
        raise Refused("Conflict", "it was not evaluated")

    deployment.fields["getEvaluationReport"] = refuse
    ran = run(*CARD)
    assert ran.code == 0, ran.err
    assert "The model was not evaluated." in ran.out


def test_names_from_others_are_text_in_markdown(run: Run, deployment: Deployment) -> None:
    deployment.fields["getFinetuningJob"] = lambda given: samples.completed_job(jobName="a|b\n# <img src=x>")
    out = run(*CARD).out
    assert out.startswith("# a\\|b \\# \\<img src=x\\>")


def test_the_digest_changes_with_the_prompt() -> None:
    one = Prompt(classes=(DocumentClass(name="a"),))
    assert prompt_hash(one) == prompt_hash(one.model_copy())
    assert prompt_hash(one) != prompt_hash(Prompt(classes=(DocumentClass(name="b"),)))
