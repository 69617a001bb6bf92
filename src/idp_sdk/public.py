"""What can be imported from `idp_sdk`."""

from __future__ import annotations

from idp_finetuning.classification.classification import ClassificationStatus
from idp_finetuning.classification.scopes import UserScope
from idp_finetuning.jobs.job import JobStatus
from idp_finetuning.test_sets.test_set import TestSetStatus
from idp_sdk.auth import sign_in
from idp_sdk.challenges import Challenge, ChallengeName
from idp_sdk.classification import Classification, ClassifiedPage, ClassifiedSection
from idp_sdk.client import IDPClient
from idp_sdk.config_versions import ClassificationConfig, ConfigVersion
from idp_sdk.connection import Connection, read_connection
from idp_sdk.errors import IDPError
from idp_sdk.folders import IgnoredFile, Layout
from idp_sdk.jobs import (
    DatasetReport,
    DocumentClass,
    DocumentCounts,
    HyperParameters,
    Job,
    JobEvent,
    JobSummary,
    Prompt,
    TrainingMetrics,
    Validation,
)
from idp_sdk.labelled import LabelledDocument, LabelledSection
from idp_sdk.models import AvailableModels, BaseModel, CustomModel
from idp_sdk.profiles import Profiles
from idp_sdk.sessions import log_in, log_out
from idp_sdk.test_sets import TestSet
from idp_sdk.tokens import Tokens
from idp_sdk.users import User

__all__ = [
    "AvailableModels",
    "BaseModel",
    "Challenge",
    "ChallengeName",
    "Classification",
    "ClassificationConfig",
    "ClassificationStatus",
    "ClassifiedPage",
    "ClassifiedSection",
    "ConfigVersion",
    "Connection",
    "CustomModel",
    "DatasetReport",
    "DocumentClass",
    "DocumentCounts",
    "HyperParameters",
    "IDPClient",
    "IDPError",
    "IgnoredFile",
    "Job",
    "JobEvent",
    "JobStatus",
    "JobSummary",
    "LabelledDocument",
    "LabelledSection",
    "Layout",
    "Profiles",
    "Prompt",
    "TestSet",
    "TestSetStatus",
    "Tokens",
    "TrainingMetrics",
    "User",
    "UserScope",
    "Validation",
    "log_in",
    "log_out",
    "read_connection",
    "sign_in",
]
