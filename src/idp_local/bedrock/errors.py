"""The errors the local Bedrock answers with: AWS error codes and the HTTP status each of them carries."""

from __future__ import annotations

# Status by code, as declared by the error shapes of bedrock and bedrock-runtime (botocore 1.44.5). The last two belong
# to no shape: AWS front ends send them before an operation is reached.
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
    """A request is refused: `code` is the AWS error code, the text is what the caller reads."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    @property
    def status(self) -> int:
        """HTTP status the error is sent with."""
        return STATUS_BY_CODE[self.code]


def invalid(message: str) -> BedrockError:
    """ValidationException: the request itself is wrong."""
    return BedrockError("ValidationException", message)


def conflict(message: str) -> BedrockError:
    """ConflictException: the request collides with what exists."""
    return BedrockError("ConflictException", message)


def not_found(what: str, identifier: str) -> BedrockError:
    """ResourceNotFoundException for a kind of resource and the identifier it was asked for by."""
    return BedrockError("ResourceNotFoundException", f"The {what} {identifier} could not be found.")
