"""S3 requests that a document costs from validation to the assembled data set."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from benchmarks.account import TEST_SET, Call, job, local_account
from benchmarks.documents import put_test_set
from idp_finetuning.jobs.job import JobStatus
from idp_finetuning.test_sets.keys import input_prefix
from idp_local.aws.names import DATA_BUCKET
from idp_sdk import LabelledDocument


def measure_s3_calls(documents: Sequence[LabelledDocument]) -> dict[str, Any]:
    """Count requests by stage in botocore while the real handlers run, against 4 + sections + pages a document.

    Validation and assembly are shared by all documents. One warm process generates: of several, each reads the prompt
    once.
    """
    known = {input_prefix(TEST_SET) + d.path: d for d in documents if d.page_count}
    run = {"jobId": "s3-calls", "number": 1}
    with local_account() as account:
        put_test_set(account, tuple(known.values()))
        account.put_job(job(str(run["jobId"]), JobStatus.VALIDATING))
        (validated,), _ = account.run([Call("ValidateTestSet", run)])
        manifest = json.loads(account.s3.get_object(Bucket=DATA_BUCKET, Key=validated.result["key"])["Body"].read())
        generate = [Call("GenerateExample", {**run, "document": document}) for document in manifest]
        ran, _ = account.run([*generate, Call("AssembleDataset", run)])
    validation = sum(validated.s3.values())
    *generation, assembly = (sum(item.s3.values()) for item in ran)
    allowed = sum(4 + len(d.sections) + (d.page_count or 0) for d in known.values())
    return {
        "callsPerDocument": round((validation + sum(generation) + assembly) / len(known), 2),
        "allowedPerDocument": round(allowed / len(known), 2),
        "ofAllowed": round((validation + sum(generation) + assembly) / allowed, 3),
        "validation": validation,
        "generation": sum(generation),
        "assembly": assembly,
        "documents": len(known),
    }
