"""Which jobs meet which faults: every state of both workflows, every kind of end of a worker."""

from __future__ import annotations

from collections.abc import Mapping

from tests.support.local.faults import Fault, FaultKind
from tests.support.pipeline.planned import Ending

PLAIN = "no fault"
STUCK = "EndJob fails too"
NOT_STARTED = "start refused"
START_KILLED = "worker killed before the start"
DYING_WORKERS = "workers die"
JOBS_A_KIND = 4  # the operations of a function are shared out among so many jobs
TRANSIENT = {
    f"{kind.name} {number}": (kind, number)
    for kind in (FaultKind.THROTTLED, FaultKind.SERVER_ERROR)
    for number in range(JOBS_A_KIND)
}
STATES = (
    "ValidateTestSet",
    "GenerateExample",
    "RejectDocument",
    "AssembleDataset",
    "CreateCustomizationJob",
    "GetCustomizationJob",
    "CreateModelDeployment",
    "GetModelDeployment",
    "CompleteJob",
)
DELETION_STATES = ("DeleteModelDeployment", "DeleteCustomModel", "DeleteJobData")
# Functions whose calls are refused for good, and which calls (None: all).
PERMANENT: Mapping[str, tuple[tuple[str, ...], str | None]] = {
    "ValidateTestSet": (("ValidateTestSet",), None),
    "ValidateTestSet reads": (("ValidateTestSet",), "GetObject"),
    "GenerateExample": (("GenerateExample",), None),
    "RejectDocument": (("GenerateExample", "RejectDocument"), None),
    "AssembleDataset": (("AssembleDataset",), "PutObject"),
    "CreateCustomizationJob creates": (("CreateCustomizationJob",), "CreateModelCustomizationJob"),
    "CreateModelDeployment creates": (("CreateModelDeployment",), "CreateCustomModelDeployment"),
}
# Operations of the states that watch Bedrock, each refused for a whole run; such a job waits and completes.
REFUSED_FOR_A_WHILE: Mapping[str, tuple[str, ...]] = {
    "CreateCustomizationJob": ("GetItem",) * 3,
    "GetCustomizationJob": ("GetModelCustomizationJob", "GetItem", "GetModelCustomizationJob"),
    "CreateModelDeployment": ("GetItem",) * 3,
    "GetModelDeployment": ("GetCustomModelDeployment",) * 3,
    "CompleteJob": ("GetItem",) * 3,
}
LOST_MANIFEST = "GenerateExamples"
# Deletions that are refused half-way: of a job that has a deployment, a model and data.
HALF_DELETED = {
    "GetModelDeployment": ("DeleteModelDeployment", "DeleteCustomModelDeployment"),
    "CompleteJob": ("DeleteCustomModel", "DeleteCustomModel"),
    PLAIN: ("DeleteJobData", "DeleteObjects"),
}
SOMETIMES = {("GetCustomizationJob", "UpdateItem")}  # where a poll shows nothing new
ENDINGS: Mapping[str, Ending] = {
    "killed": Ending(faults=(Fault(kind=FaultKind.KILLED_BEFORE, operation="GetObject"),)),
    "timed out": Ending(faults=(Fault(kind=FaultKind.DELAYED, operation="GetItem", seconds=30),), seconds=2),
    "unknown": Ending(error="Lambda.Unknown"),
    "slow": Ending(seconds=20),
    "killed once": Ending(faults=(Fault(kind=FaultKind.KILLED_AFTER, operation="PutObject"),), runs=1),
}
