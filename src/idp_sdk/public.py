"""What can be imported from `idp_sdk`."""

from __future__ import annotations

from idp_finetuning.classification.classification import (
    Classification,
    ClassificationStatus,
    ClassifiedPage,
    ClassifiedSection,
)
from idp_finetuning.classification.config_versions import ClassificationConfig
from idp_finetuning.classification.scopes import User, UserScope
from idp_finetuning.evaluation.baseline import BaselineEvaluation
from idp_finetuning.evaluation.cost import CostBound
from idp_finetuning.evaluation.gate import GateResult
from idp_finetuning.evaluation.report import ContestantScores, EvaluatedPage, EvaluationReport, PageFinding
from idp_finetuning.evaluation.two_jobs import JobComparison
from idp_finetuning.evaluation.uncertainty import Interval
from idp_finetuning.jobs.job import DocumentCounts, JobStatus, TrainingMetrics
from idp_finetuning.nova.hyper_parameters import HyperParameters, HyperParameterSpec
from idp_finetuning.nova.lifecycle import ModelLifecycle
from idp_finetuning.nova.prompt import DocumentClass, Prompt
from idp_finetuning.test_sets.test_set import TestSet, TestSetStatus
from idp_finetuning.training_data.bedrock_records import BedrockRecords
from idp_finetuning.training_data.dataset import ClassReport, DatasetReport, RejectedDocument, SplitReport
from idp_finetuning.training_data.dataset_documents import DatasetDocument
from idp_finetuning.training_data.loss_curve import LossCurve, LossPoint
from idp_sdk.client import IDPClient
from idp_sdk.connection import Connection, read_connection
from idp_sdk.errors import IDPError
from idp_sdk.jobs import Job, JobEvaluation, JobEvent, JobSummary, Validation
from idp_sdk.results import AvailableModels, BaseModel, ConfigVersion, CustomModel
from idp_sdk.signin.challenges import Challenge, ChallengeName
from idp_sdk.signin.profiles import Profiles
from idp_sdk.signin.sign_in import fetch_tokens, sign_in, sign_out
from idp_sdk.signin.tokens import Tokens
from idp_sdk.uploads.folders import Layout
from idp_sdk.uploads.labelled import LabelledDocument, LabelledSection
from idp_sdk.uploads.local_files import IgnoredFile

__all__ = [
    "AvailableModels",
    "BaseModel",
    "BaselineEvaluation",
    "BedrockRecords",
    "Challenge",
    "ChallengeName",
    "ClassReport",
    "Classification",
    "ClassificationConfig",
    "ClassificationStatus",
    "ClassifiedPage",
    "ClassifiedSection",
    "ConfigVersion",
    "Connection",
    "ContestantScores",
    "CostBound",
    "CustomModel",
    "DatasetDocument",
    "DatasetReport",
    "DocumentClass",
    "DocumentCounts",
    "EvaluatedPage",
    "EvaluationReport",
    "GateResult",
    "HyperParameterSpec",
    "HyperParameters",
    "IDPClient",
    "IDPError",
    "IgnoredFile",
    "Interval",
    "Job",
    "JobComparison",
    "JobEvaluation",
    "JobEvent",
    "JobStatus",
    "JobSummary",
    "LabelledDocument",
    "LabelledSection",
    "Layout",
    "LossCurve",
    "LossPoint",
    "ModelLifecycle",
    "PageFinding",
    "Profiles",
    "Prompt",
    "RejectedDocument",
    "SplitReport",
    "TestSet",
    "TestSetStatus",
    "Tokens",
    "TrainingMetrics",
    "User",
    "UserScope",
    "Validation",
    "fetch_tokens",
    "read_connection",
    "sign_in",
    "sign_out",
]
