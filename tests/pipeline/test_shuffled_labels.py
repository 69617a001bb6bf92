"""A job whose labels say nothing about its pages: the stand-in must not find a pattern in them."""

from __future__ import annotations

import pytest

from idp_finetuning.jobs.job import JobStatus
from idp_local.documents.generator import demo_test_set
from tests.support.pipeline.driver import Pipeline
from tests.support.shuffled_labels import shuffled

pytestmark = pytest.mark.xdist_group("pipeline_of_single_jobs")


def test_shuffled_training_labels_teach_nothing(pipeline: Pipeline) -> None:
    documents = shuffled(demo_test_set()[::2], seed=7)
    test_set_id = pipeline.upload("Shuffled", documents)
    followed = pipeline.run(
        testSetId=test_set_id, baseModel="us.amazon.nova-lite-v1:0", jobName="Shuffled", trainSplit=0.5
    )
    assert followed.state.status is JobStatus.COMPLETED, followed.state.error_message
    custom, majority = pipeline.scores(followed.state)
    assert custom.pages > 40
    assert custom.right <= majority.right
