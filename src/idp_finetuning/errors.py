"""The tree of errors. A class name is at once the ASL error name and the GraphQL errorType.

FinetuningError
├── InvalidInput            a request or one of its values cannot be used
├── Unauthorized            the caller's groups or scope do not allow the operation
├── JobNotFound             no job has this id
├── TestSetNotFound         no test set has this id
├── ConfigVersionNotFound   no configuration version has this name
├── UserNotFound            the user pool has no such user
├── ClassificationNotFound  no classification of the caller has this id
├── Conflict                the current state does not allow the operation
├── TooManyRunning          as many of the caller's classifications run as may run at once
├── TestSetInvalid          the labelled documents break a rule of fine-tuning
├── DocumentRejected        one document cannot become training data
├── DatasetUnusable         too little of the test set became training data
├── ValidationRunning       the labels are still being read; ask again later
├── ModelUnavailable        the account does not offer the base model for fine-tuning
├── PriceUnknown            a limit of the cost was given, and prices.json has no price of a model
├── CostTooHigh             it could cost more than the limit that was given
├── TrainingFailed          Bedrock ended the customization job without a model
├── DeploymentFailed        Bedrock ended the deployment without an endpoint
├── JobStopping             the job is being stopped; its workflow ends here
├── StaleState              a late or repeated run found the job in another status
├── TransientError          throttled or temporarily failing call; the workflow retries it
├── RemovalPending          Bedrock has not removed a resource yet; the workflow asks again, later each time
├── AwsCallRefused          an AWS service refused a call; the same call would be refused again
├── SettingMissing          the function's environment lacks a variable
└── InternalError           anything else; details are in the log only
"""

from __future__ import annotations


class FinetuningError(Exception):
    """Base of all expected failures; the message says what happened, to what, and what to do."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    @property
    def code(self) -> str:
        """The error's name on every boundary: ASL, GraphQL and the job record."""
        return type(self).__name__


class InvalidInput(FinetuningError):
    """A request or one of its values cannot be used."""


class Unauthorized(FinetuningError):
    """The caller's groups or scope do not allow the operation."""


class JobNotFound(FinetuningError):
    """No job has this id."""


class TestSetNotFound(FinetuningError):
    """No test set has this id."""

    __test__ = False  # pytest collects classes named Test*


class ConfigVersionNotFound(FinetuningError):
    """No configuration version has this name."""


class UserNotFound(FinetuningError):
    """The user pool has no such user."""


class ClassificationNotFound(FinetuningError):
    """No classification of the caller has this id."""


class Conflict(FinetuningError):
    """The current state of what the request names does not allow the operation."""


class TooManyRunning(FinetuningError):
    """As many of the caller's classifications run as may run at once."""


class TestSetInvalid(FinetuningError):
    """The labelled documents break a rule of fine-tuning."""

    __test__ = False


class DocumentRejected(FinetuningError):
    """One document cannot become training data; `reason_code` says why in one word."""

    def __init__(self, reason_code: str, message: str) -> None:
        super().__init__(f"{reason_code}: {message}")
        self.reason_code = reason_code

    @property
    def reason(self) -> str:
        """The sentences without the code."""
        return self.message.partition(": ")[2]

    @classmethod
    def from_text(cls, text: str) -> DocumentRejected:
        """Return the rejection that has this whole message."""
        code, _, message = text.partition(": ")
        return cls(code, message)


class DatasetUnusable(FinetuningError):
    """Too little of the test set became training data."""


class ValidationRunning(FinetuningError):
    """The labels or the pages of a test set are still being read in the background."""


class ModelUnavailable(FinetuningError):
    """The account does not offer the base model for fine-tuning."""


class PriceUnknown(FinetuningError):
    """A limit of the cost was given, and prices.json has no price of a model."""


class CostTooHigh(FinetuningError):
    """It could cost more than the limit that was given."""


class TrainingFailed(FinetuningError):
    """Bedrock ended the customization job without a model."""


class DeploymentFailed(FinetuningError):
    """Bedrock ended the deployment without an endpoint."""


class JobStopping(FinetuningError):
    """The job is being stopped; its workflow ends here."""


class StaleState(FinetuningError):
    """A late or repeated run found the job in a status it must not move from."""


class TransientError(FinetuningError):
    """A throttled or temporarily failing call; the workflow retries it."""


class RemovalPending(FinetuningError):
    """Bedrock has not removed a resource yet; the workflow asks again, later each time."""


class AwsCallRefused(FinetuningError):
    """An AWS service refused a call, and would refuse it again."""


class SettingMissing(FinetuningError):
    """The function's environment lacks a variable."""


class InternalError(FinetuningError):
    """Anything else; details are in the log only."""
