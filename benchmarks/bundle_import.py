"""Import time of the resolver's bundle against an empty handler on the same packages, both with the same clients."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

from idp_finetuning.deployment import FUNCTIONS
from idp_local.aws.names import variable_values
from idp_local.environment import CREDENTIALS, REGION
from stacks.bundling import BundleTarget, build_bundles

RUNS = 9
TARGET_RATIO = 1.5

# Both run on the same bundle and print the seconds until the handler was imported, and until the clients were made too.
# The resolver makes its clients at first use: the program reads every member of `Services` that a field may need, which
# makes those of DynamoDB, S3, Lambda and Step Functions. The empty handler makes these four.
_CLOCK = """
import sys, time
sys.path[:0] = [sys.argv[1]]
began = time.perf_counter()
{imports}
imported = time.perf_counter()
{clients}
print([imported - began, time.perf_counter() - began])
"""
_RESOLVER = _CLOCK.format(
    imports="import lambdas.resolver",
    clients="""
from idp_finetuning.adapters.services import Services
services = Services()
services.jobs, services.test_sets, services.test_set_bucket, services.data
services.label_reader, services.finetuning, services.deletion
""",
)
_EMPTY = _CLOCK.format(
    imports="""
import boto3
from aws_lambda_powertools import Logger
from pydantic import BaseModel
logger = Logger()
class Event(BaseModel):
    field: str
def handler(event, context):
    return Event.model_validate(event).model_dump()
""",
    clients="""
for service in ("dynamodb", "s3", "lambda", "stepfunctions"):
    boto3.client(service)
""",
)


def measure_bundle_import() -> dict[str, Any]:
    """Measure medians in milliseconds of 9 interleaved runs, each in a fresh process, and their ratio.

    No compiled code of a bundle is read or written, as in Lambda: bundles have none and /var/task is read-only.
    """
    bundle = build_bundles(BundleTarget.for_this_machine())["core"]
    programs = {"resolver": _RESOLVER, "empty": _EMPTY}
    taken: dict[str, list[list[float]]] = {name: [] for name in programs}
    for _ in range(RUNS):
        for name, program in programs.items():
            taken[name].append(_seconds(program, bundle))
    imported, with_clients = (
        {name: statistics.median(run[column] for run in runs) for name, runs in taken.items()} for column in (0, 1)
    )
    ratio = with_clients["resolver"] / with_clients["empty"]
    return {
        "resolverMs": round(with_clients["resolver"] * 1000),
        "emptyHandlerMs": round(with_clients["empty"] * 1000),
        "ratio": round(ratio, 2),
        "targetRatio": TARGET_RATIO,
        "withinTarget": ratio <= TARGET_RATIO,
        "ratioWithoutClients": round(imported["resolver"] / imported["empty"], 2),
        "runs": RUNS,
    }


def _seconds(program: str, bundle: Path) -> list[float]:
    # -I and -S: only the bundle and the standard library. -B: nothing compiled is written beside the bundle.
    command = [sys.executable, "-I", "-S", "-B", "-c", program, str(bundle)]
    result = subprocess.run(command, env=_environment(), capture_output=True, check=True)
    seconds: list[float] = json.loads(result.stdout)
    return seconds


def _environment() -> dict[str, str]:
    """Return the resolver's variables; no client calls anything, so there is no endpoint."""
    resolver = next(spec for spec in FUNCTIONS if spec.name == "Resolver")
    values = variable_values(poll_seconds=60, user_pool_id="us-east-1_Benchmark")
    variables = {str(name): str(values[name]) for name in resolver.variables}
    return {**variables, "POWERTOOLS_SERVICE_NAME": "idp-finetuning", "AWS_DEFAULT_REGION": REGION, **CREDENTIALS}
