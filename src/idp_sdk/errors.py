"""The one error tree of the SDK. Messages are sentences for people: what happened, to what, and what to do next.

IDPError
├── NotConfigured               no connection is known, or it cannot be used
├── NotSignedIn                 no user is signed in
│   ├── SignInFailed            Cognito refused the sign-in
│   └── SessionExpired          the sign-in has ended; sign in again
├── ConnectionFailed            the server could not be reached, or broke off
├── ServerError                 the server failed (InternalError, HTTP 5xx) or sent an unknown response
│   └── Throttled               too many requests; retries did not help
├── WaitTimeout                 it did not end in time; it continues on the server
├── UploadFailed                a file did not get to S3
│   └── UploadExpired           the signed address of an upload was too old
└── Refused                     the API understood and refused; each class is an errorType of the API
    ├── InvalidInput            a request or one of its values cannot be used
    ├── Unauthorized            the user's groups or configuration versions do not allow it
    ├── JobNotFound             no job has this id
    ├── TestSetNotFound         no test set has this id
    ├── ConfigVersionNotFound   no configuration version has this name
    ├── ClassificationNotFound  no classification of this user has this id
    ├── UserNotFound            no user has this name
    ├── Conflict                the state of the thing does not allow it
    ├── TooManyRunning          as many classifications of this user run as may run at once
    ├── TestSetInvalid          the labelled documents break a rule of fine-tuning
    ├── ValidationRunning       the labels are still being read; ask again in a while
    ├── ModelUnavailable        the account does not offer the model
    └── PriceUnknown            a limit of the cost was given, and a model has no known price

The API's TransientError is Throttled; InternalError, and every type this version does not know, is a ServerError.
`error_type` is the type as the API sent it.
"""

from __future__ import annotations


class IDPError(Exception):
    """Base of all errors of the SDK."""

    def __init__(self, message: str, *, error_type: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.error_type = error_type or type(self).__name__


class NotConfigured(IDPError):
    """No connection is known, or it cannot be used."""


class NotSignedIn(IDPError):
    """Nobody is signed in."""


class SignInFailed(NotSignedIn):
    """Cognito refused the sign-in."""


class SessionExpired(NotSignedIn):
    """The sign-in has ended; sign in again."""


class ConnectionFailed(IDPError):
    """The server could not be reached, or broke off."""


class ServerError(IDPError):
    """The server failed or sent an unknown response."""


class Throttled(ServerError):
    """Too many requests; retries did not help."""


class WaitTimeout(IDPError):
    """It did not end in time; it continues on the server."""


class UploadFailed(IDPError):
    """A file did not get to S3."""


class UploadExpired(UploadFailed):
    """The signed address of an upload was too old."""


class Refused(IDPError):
    """The API understood the request and refused it."""


class InvalidInput(Refused):
    """A request or one of its values cannot be used."""


class Unauthorized(Refused):
    """The user's groups or configuration versions do not allow the operation."""


class JobNotFound(Refused):
    """No job has this id."""


class TestSetNotFound(Refused):
    """No test set has this id."""

    __test__ = False  # pytest collects classes named Test*


class ConfigVersionNotFound(Refused):
    """No configuration version has this name."""


class ClassificationNotFound(Refused):
    """No classification of this user has this id."""


class UserNotFound(Refused):
    """No user has this name."""


class Conflict(Refused):
    """The state of the thing does not allow the operation."""


class TooManyRunning(Refused):
    """As many classifications of this user run as may run at once."""


class TestSetInvalid(Refused):
    """The labelled documents break a rule of fine-tuning."""

    __test__ = False


class ValidationRunning(Refused):
    """The labels of a large test set are still being read in the background."""


class ModelUnavailable(Refused):
    """The account does not offer the model."""


class PriceUnknown(Refused):
    """A limit of the cost was given, and a model has no known price."""


_REFUSALS: dict[str, type[IDPError]] = {kind.__name__: kind for kind in Refused.__subclasses__()}
# Other names that AppSync and the API have for them.
_SYNONYMS: dict[str, type[IDPError]] = {
    "TransientError": Throttled,
    "ThrottledException": Throttled,
    "TooManyRequestsException": Throttled,
    "UnauthorizedException": SessionExpired,
    "BadRequestException": InvalidInput,
    "ValidationError": InvalidInput,
}


def error_for(error_type: str | None, message: str) -> IDPError:
    """Return the error for an errorType of the API: a ServerError if this version does not know the type."""
    kind = _REFUSALS.get(error_type or "") or _SYNONYMS.get(error_type or "") or ServerError
    return kind(message, error_type=error_type)
