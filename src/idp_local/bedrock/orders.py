"""What the server and a training process say to each other: an order in, progress out, each a line of JSON."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from idp_local.bedrock.trainer import Pass


class Order(BaseModel):
    """What to train on: S3 URIs of the JSONL files, the base model's fine-tuning id, where to put the model."""

    model_config = ConfigDict(frozen=True)

    s3_endpoint: str
    region: str
    base_model: str
    training_uri: str
    validation_uris: tuple[str, ...]
    epochs: int
    model_path: Path


class Progress(BaseModel):
    """One line of progress: exactly one member is set."""

    model_config = ConfigDict(frozen=True)

    phase: str | None = None  # a key of account.PHASES after the first has begun
    passes: int | None = None  # how many passes the training will have
    done: Pass | None = None
    failure: str | None = None  # the data set is refused: the failureMessage
    trained: bool = False
