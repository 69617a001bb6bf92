"""The files a finished job leaves in its output folder [docs: model-customization-analyze]."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Sequence
from statistics import fmean
from typing import Any

from idp_local.bedrock.bucket import parse
from idp_local.bedrock.trainer import Pass

TRAINING_METRICS = "training_artifacts/step_wise_training_metrics.csv"
VALIDATION_METRICS = "validation_artifacts/post_fine_tuning_validation/validation_metrics.csv"


def write_artefacts(s3: Any, output_uri: str, job_arn: str, passes: Sequence[Pass]) -> None:
    """Writes the loss curves below `<output_uri>/model-customization-job-<id>/`; raises one of S3_ERRORS.

    The validation file exists only where there was a validation set; of several sets it has the mean loss.
    """
    bucket, prefix = parse(output_uri)
    folder = f"{prefix.rstrip('/')}/model-customization-job-{job_arn.rpartition('/')[2]}".lstrip("/")
    tables = {TRAINING_METRICS: _table("training_loss", [(one, one.training_loss) for one in passes])}
    if all(one.validation_losses for one in passes):
        measured = [(one, fmean(one.validation_losses)) for one in passes]
        tables[VALIDATION_METRICS] = _table("validation_loss", measured)
    for name, table in tables.items():
        s3.put_object(Bucket=bucket, Key=f"{folder}/{name}", Body=table, ContentType="text/csv")


def _table(loss_name: str, rows: Iterable[tuple[Pass, float]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("step_number", "epoch_number", loss_name, "perplexity"))
    for one, loss in rows:
        writer.writerow((one.number, one.epoch, loss, math.exp(loss)))
    return text.getvalue().encode()
