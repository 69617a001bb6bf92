"""The kinds of resources that a role could reach: patterns, each as narrow as the narrowest policy."""

from __future__ import annotations

import re
from functools import cache

from idp_finetuning.classification.layout import UPLOADS_PREFIX, ClassificationLayout, running_key
from idp_finetuning.deployment import FUNCTIONS, TABLES
from idp_finetuning.evaluation.layout import EvaluationLayout, baseline_records_prefix, judged_prefix
from idp_finetuning.jobs.layout import JobLayout
from idp_finetuning.test_sets.keys import (
    announced_prefix,
    baseline_prefix,
    counting_progress_key,
    input_prefix,
    labels_key,
    page_counts_key,
    sealed_key,
    uploading_marker,
)
from idp_finetuning.test_sets.keys import reading_marker as being_read
from idp_finetuning.test_sets.split import Split
from tests.support.iam.calls import PROFILE_REGIONS, arn
from tests.support.iam.policies import matches
from tests.support.stacks.deployed import ACCOUNT, REGION

PREFIX = "idp-finetuning"
DATA = "arn:aws:s3:::DataBucket"
TEST_SETS = "arn:aws:s3:::TestSetBucket"
BEDROCK_ROLE = f"arn:aws:iam::{ACCOUNT}:BedrockAccess/Role"

CUSTOM_MODELS = arn("bedrock", "custom-model/*")
DEPLOYMENTS = arn("bedrock", "custom-model-deployment/*")
CUSTOMIZATION_JOBS = arn("bedrock", "model-customization-job/*")
# By their ids: amazon.nova-2-lite-v1:0 is the model, amazon.nova-2-lite-v1:0:256k what fine-tuning calls it.
FOUNDATION_MODELS = f"arn:aws:bedrock:{REGION}::foundation-model/*:0"
INFERENCE_PROFILES = arn("bedrock", "inference-profile/us.amazon.*")
BASELINES = f"{TEST_SETS}/{baseline_prefix('*')}*"
INPUTS = f"{TEST_SETS}/{input_prefix('*')}*"
UPLOADING = f"{TEST_SETS}/{uploading_marker('*')}"
ANNOUNCED = f"{TEST_SETS}/{announced_prefix('*')}*"
SEALED = f"{TEST_SETS}/{sealed_key('*', '*')}"
READING = f"{DATA}/{being_read('*', '*')}"
COUNTS = f"{DATA}/{page_counts_key('*', '*')}"
COUNTING = f"{DATA}/{counting_progress_key('*', '*')}"
RUNNING = f"{DATA}/{running_key('*', 0).replace('0', '*')}"
FINE_TUNED_AS = f"arn:aws:bedrock:{REGION}::foundation-model/*k"

_JOB = JobLayout(job_id="*")
_EVALUATION = EvaluationLayout.model_construct(job_id="*", number="*")
ANSWERED = f"{DATA}/{_EVALUATION.answered('*')}*"
EVALUATIONS = (
    f"{DATA}/{_EVALUATION.plan}",
    f"{DATA}/{_EVALUATION.documents}",
    f"{DATA}/{_EVALUATION.report}",
    f"{DATA}/{_EVALUATION.pages}",
    ANSWERED,
    f"{DATA}/{_EVALUATION.answer('*', '*')}",
    f"{DATA}/{_EVALUATION.training_pages}",
    f"{DATA}/{_EVALUATION.page('*', 1).removesuffix('1.jpeg')}*",
)
_BASELINE = EvaluationLayout.model_construct(test_set_id="*", number="*")
BASELINE_ANSWERED = f"{DATA}/{_BASELINE.answered('*')}*"
BASELINE_EVALUATIONS = (
    f"{DATA}/{_BASELINE.plan}",
    f"{DATA}/{_BASELINE.documents}",
    f"{DATA}/{_BASELINE.report}",
    f"{DATA}/{_BASELINE.pages}",
    BASELINE_ANSWERED,
    f"{DATA}/{_BASELINE.answer('*', '*')}",
    f"{DATA}/{_BASELINE.page('*', 1).removesuffix('1.jpeg')}*",
    f"{DATA}/{baseline_records_prefix('*')}*",
    f"{DATA}/{judged_prefix('*')}*",
)
LOSS_CURVE = f"{DATA}/{_JOB.loss_curve}"
_CLASSIFICATION = ClassificationLayout(classification_id="*")
DATASET_DOCUMENTS = f"{DATA}/{_JOB.documents}"
TRAINING_FILE, VALIDATION_FILE = (f"{DATA}/{_JOB.dataset(split)}" for split in Split)

# A star is a part of a path, at the end everything that follows.
KINDS = (
    *(arn("dynamodb", f"table/{spec.name}") for spec in TABLES),
    *(arn("dynamodb", f"table/{spec.name}/index/{index.name}") for spec in TABLES for index in spec.indexes),
    DATA,
    f"{DATA}/{_JOB.manifest}",
    f"{DATA}/{_JOB.prompt}",
    f"{DATA}/{_JOB.prefix}pages/*",
    *(f"{DATA}/{_JOB.examples(split)}*" for split in Split),
    f"{DATA}/{_JOB.rejections}*",
    TRAINING_FILE,
    VALIDATION_FILE,
    f"{DATA}/{_JOB.report}",
    DATASET_DOCUMENTS,
    LOSS_CURVE,
    f"{DATA}/{_JOB.output}*",
    *EVALUATIONS,
    *BASELINE_EVALUATIONS,
    f"{DATA}/{UPLOADS_PREFIX}*",
    f"{DATA}/{_CLASSIFICATION.request}",
    f"{DATA}/{_CLASSIFICATION.progress}",
    f"{DATA}/{_CLASSIFICATION.pages}*",
    f"{DATA}/{_CLASSIFICATION.result}",
    f"{DATA}/{labels_key('*', '*')}",
    READING,
    COUNTS,
    COUNTING,
    RUNNING,
    TEST_SETS,
    INPUTS,
    BASELINES,
    UPLOADING,
    ANNOUNCED,
    SEALED,
    *(
        arn("states", f"{kind}:{PREFIX}-{machine}{rest}")
        for machine in ("finetuning", "deletion", "evaluation")
        for kind, rest in (("stateMachine", ""), ("execution", ":*"), ("execution", "/*"))
    ),
    *(arn("lambda", f"function:{spec.function_name(PREFIX)}") for spec in FUNCTIONS),
    CUSTOM_MODELS,
    DEPLOYMENTS,
    CUSTOMIZATION_JOBS,
    FOUNDATION_MODELS,
    FINE_TUNED_AS,
    INFERENCE_PROFILES,
    *(f"arn:aws:bedrock:{region}::foundation-model/*:0" for region in PROFILE_REGIONS if region != REGION),
    BEDROCK_ROLE,
    arn("cognito-idp", "userpool/Identity/UserPool"),
    # Resources that do not belong to the deployment.
    "arn:aws:s3:::other",
    "arn:aws:s3:::other/*",
    f"{DATA}/other",
    f"{TEST_SETS}/other",
    arn("dynamodb", "table/other"),
    arn("states", "stateMachine:other"),
    arn("lambda", "function:other"),
    arn("bedrock", "imported-model/*"),
    arn("cognito-idp", "userpool/other"),
    f"arn:aws:iam::{ACCOUNT}:role/other",
)


@cache
def kind_of(resource: str) -> str | None:
    """Return the kind of a resource, if it has one."""
    return resource if resource == "*" else next((k for k in KINDS if _expression(k).fullmatch(resource)), None)


@cache
def kinds_within(pattern: str) -> frozenset[str]:
    """Return the kinds that a policy's resource matches, or the resource itself if it matches none."""
    if pattern == "*":
        return frozenset({"*"})
    reached = frozenset(kind for kind in KINDS if matches(pattern, kind.replace("*", "x")))
    return reached or frozenset({kind_of(pattern) or pattern})


@cache
def _expression(kind: str) -> re.Pattern[str]:
    inner = re.escape(kind).replace(r"\*", "[^/]+")
    return re.compile(inner.removesuffix("[^/]+") + ".+" if kind.endswith("*") else inner, re.DOTALL)
