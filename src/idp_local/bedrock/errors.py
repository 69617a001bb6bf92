"""Refusals of the local Bedrock: AWS error codes and the HTTP status of each."""

from __future__ import annotations

from typing import Literal

# Codes of which it is not documented which one Bedrock uses.
Absence = Literal["ResourceNotFoundException", "ValidationException", "AccessDeniedException"]
Refusal = Literal["ConflictException", "ValidationException"]

# Status by code, from the error shapes of bedrock and bedrock-runtime (botocore 1.44.5). The last two have no shape:
# AWS front ends send them before an operation is reached.
STATUS_BY_CODE = {
    "ValidationException": 400,
    "ConflictException": 400,
    "TooManyTagsException": 400,
    "ServiceQuotaExceededException": 400,
    "AccessDeniedException": 403,
    "ResourceNotFoundException": 404,
    "ModelNotReadyException": 429,
    "ThrottlingException": 429,
    "InternalServerException": 500,
    "ServiceUnavailableException": 503,
    "UnknownOperationException": 404,
    "MissingAuthenticationTokenException": 403,
}


class BedrockError(Exception):
    """A request is refused; `code` is the AWS error code."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    @property
    def status(self) -> int:
        """HTTP status of the response."""
        return STATUS_BY_CODE[self.code]


def invalid(message: str) -> BedrockError:
    """Return a ValidationException: the request itself is wrong."""
    return BedrockError("ValidationException", message)


def conflict(message: str) -> BedrockError:
    """Return a ConflictException: the request collides with what exists."""
    return BedrockError("ConflictException", message)


def not_found(kind: str, identifier: str, code: Absence = "ResourceNotFoundException") -> BedrockError:
    """Return the error for a kind of resource and an identifier that no resource has."""
    return BedrockError(code, _ABSENT[code].format(kind=kind, identifier=identifier))


def mutating(kind: str, identifier: str, code: Refusal) -> BedrockError:
    """Return the error for a deletion that comes while the resource still changes."""
    return BedrockError(code, f"The {kind} {identifier} is in a mutating state; try again later.")


def quota_full(limit: str, value: int) -> BedrockError:
    """Return a ServiceQuotaExceededException that names the quota."""
    return BedrockError("ServiceQuotaExceededException", f"You have reached the quota of {value} for {limit}.")


_ABSENT = {
    "ResourceNotFoundException": "The {kind} {identifier} could not be found.",
    "ValidationException": "The provided {kind} identifier is invalid.",
    "AccessDeniedException": "You do not have access to the {kind} {identifier}.",
}
