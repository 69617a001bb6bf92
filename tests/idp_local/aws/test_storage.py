"""Tables of an earlier start, which may be of an earlier release."""

from __future__ import annotations

import boto3
from moto import mock_aws

from idp_finetuning.adapters.tables.jobs import JobTable
from idp_finetuning.deployment import JOB_FILTER_INDEXES, JOBS_TABLE
from idp_finetuning.jobs.job import JobFilter, JobStatus
from idp_local.aws.storage import add_missing_indexes, create_table
from tests.support.domain.samples import job


def test_a_table_that_was_kept_gets_the_indexes_it_lacks_with_what_it_holds() -> None:
    with mock_aws():
        dynamodb = boto3.client("dynamodb", region_name="us-east-1")
        indexes = tuple(index for index in JOBS_TABLE.indexes if index not in JOB_FILTER_INDEXES)
        create_table(dynamodb, JOBS_TABLE.model_copy(update={"indexes": indexes}), "t")
        jobs = JobTable(dynamodb, JOBS_TABLE.table_name("t"))
        jobs.create(job("1", status=JobStatus.FAILED), None, "")
        jobs.create(job("2"), None, "")
        for _ in range(2):
            add_missing_indexes(dynamodb, JOBS_TABLE, "t")
        for shown in (JobFilter(status=JobStatus.FAILED), JobFilter(test_set_id="docsplit", status=JobStatus.FAILED)):
            assert [item.id for item in jobs.list(limit=5, next_token=None, shown=shown).items] == ["1"]
        assert len(jobs.list(limit=5, next_token=None, shown=JobFilter(base_model=job().base_model)).items) == 2
