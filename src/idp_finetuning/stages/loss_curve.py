"""The loss curve of a training, kept where the API finds it."""

from __future__ import annotations

from idp_finetuning.adapters.aws_calls import aws_calls
from idp_finetuning.adapters.buckets import DataBucket
from idp_finetuning.errors import FinetuningError
from idp_finetuning.jobs.layout import JobLayout
from idp_finetuning.training_data.loss_curve import LossCurve, LossPoint, parse_losses

_TRAINING = "training_metrics.csv"
_VALIDATION = "validation_metrics.csv"


def keep_loss_curve(job_id: str, customization_job_arn: str, data: DataBucket) -> tuple[str, ...]:
    """Write the curve of an ended training, if Bedrock left one; return a warning if it could not be read.

    AWS's pages and samples disagree on the folders below the output prefix, so the tables are found by their names.
    """
    layout = JobLayout(job_id=job_id)
    try:
        with aws_calls():
            keys = [file.key for file in data.list(layout.output) if file.key.endswith((_TRAINING, _VALIDATION))]
            bedrock_id = customization_job_arn.rpartition("/")[2]
            own = [key for key in keys if bedrock_id in key] or keys
            if own:
                data.write_model(
                    layout.loss_curve,
                    LossCurve(training=_read(own, _TRAINING, data), validation=_read(own, _VALIDATION, data)),
                )
    except FinetuningError as error:
        return (f"Bedrock's losses of each step could not be read ({error.code}).",)
    return ()


def _read(keys: list[str], name: str, data: DataBucket) -> tuple[LossPoint, ...]:
    """Return the points of the last table with this name."""
    found = sorted(key for key in keys if key.endswith(name))
    return parse_losses(data.read(found[-1])) if found else ()
