"""The names a job has in Bedrock."""

from __future__ import annotations

from idp_finetuning.jobs.bedrock_names import bedrock_name, job_id_in
from tests.support.domain.samples import job


def test_every_attempt_has_its_own_names_and_the_last_ones_are_those_in_use() -> None:
    tried = job(training_attempt=3, deployment_attempt=2)
    assert tried.training_names == tuple(bedrock_name(tried.job_name, tried.id, "training", n) for n in (1, 2, 3))
    assert tried.deployment_names == tuple(bedrock_name(tried.job_name, tried.id, "deployment", n) for n in (1, 2))
    assert (tried.training_name, tried.deployment_name) == (tried.training_names[-1], tried.deployment_names[-1])


def test_the_names_of_all_attempts_lead_back_to_the_job() -> None:
    tried = job(training_attempt=2, deployment_attempt=2)
    names = {*tried.training_names, *tried.deployment_names}
    assert len(names) == 4
    assert {job_id_in(name) for name in names} == {tried.id}
