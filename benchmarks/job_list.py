"""Items DynamoDB reads for a page of ten jobs, among few jobs and among many."""

from __future__ import annotations

from typing import Any

from benchmarks.account import Account, Call, job, local_account
from benchmarks.documents import resolver_event
from idp_finetuning.adapters.tables.items import to_attributes
from idp_finetuning.deployment import JOBS_TABLE
from idp_finetuning.jobs.job import JobStatus
from idp_local.aws.names import PREFIX

PAGE = 10
FEW, MANY = 10, 10_000
_BATCH = 25  # the most that BatchWriteItem takes


def measure_job_list() -> dict[str, Any]:
    """Measure ScannedCount of the queries behind listFinetuningJobs(limit: 10)."""
    query = Call("Resolver", resolver_event("listFinetuningJobs", {"limit": PAGE}))
    read = {}
    with local_account() as account:
        written = 0
        for count in (FEW, MANY):
            _put_jobs(account, range(written, count))
            written = count
            (ran,), _ = account.run([query])
            if len(ran.result["data"]["items"]) != PAGE:
                raise RuntimeError(f"Not a page of {PAGE} jobs: {ran.result}")
            read[count] = ran.items_read
    return {"moreItemsRead": read[MANY] - read[FEW], f"itemsReadAt{FEW}": read[FEW], f"itemsReadAt{MANY}": read[MANY]}


def _put_jobs(account: Account, numbers: range) -> None:
    table = JOBS_TABLE.table_name(PREFIX)
    for start in range(numbers.start, numbers.stop, _BATCH):
        batch = []
        for number in range(start, min(start + _BATCH, numbers.stop)):
            made = job(
                f"job-{number}", JobStatus.COMPLETED, f"2026-11-22T10:{number // 1000:02}:00.{number % 1000:03}Z"
            )
            item = to_attributes({**made.to_wire(), "item": "job", "kind": "job"})
            batch.append({"PutRequest": {"Item": item}})
        account.dynamodb.batch_write_item(RequestItems={table: batch})
