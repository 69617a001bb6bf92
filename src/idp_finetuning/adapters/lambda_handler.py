"""The edge between Lambda and the domain: typed events, job id in every log line, failures under their names."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import wraps
from traceback import extract_tb
from typing import TYPE_CHECKING, Any, TypeVar

from aws_lambda_powertools import Logger

from idp_finetuning.adapters.aws_calls import aws_calls
from idp_finetuning.adapters.services import Services
from idp_finetuning.errors import AwsCallRefused, FinetuningError, InternalError, SettingMissing, TransientError
from idp_finetuning.wire import WireModel, read_stored

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

E = TypeVar("E", bound=WireModel)
# Lambda always passes a context; tests and benchmarks may pass none, and then there is no time limit.
Handler = Callable[[dict[str, Any], "LambdaContext | None"], dict[str, Any]]

# Lambda takes lines whose time is not RFC 3339 for INFO, whatever level they have (Lambda developer guide, "Log-level
# filtering").
logger = Logger(location=None, use_rfc3339=True)

# Lambda sets the level of all loggers. Boto's lines carry no job id below WARNING, and bodies and headers at DEBUG.
for _library in ("boto3", "botocore", "s3transfer"):
    logging.getLogger(_library).setLevel(logging.WARNING)

LONGEST_TEXT = 1000  # characters of a field in the log

# Failures whose text is about AWS or the deployment, never about a document.
_FOR_OPERATORS = (AwsCallRefused, SettingMissing, TransientError)


def state_handler(
    event_model: type[E], *, shown: Callable[[Any], Mapping[str, object]] = lambda _: {}
) -> Callable[[Callable[[E, Services], WireModel | None]], Handler]:
    """Make a Lambda handler of a function from a typed event and services to a model (or to None: `{}`).

    Failures leave as classes of idp_finetuning.errors, which Step Functions sees under their names. Log lines
    carry the job id and never the content of a document; `shown` makes the extra fields of the last line from the
    result.
    """

    def decorate(work: Callable[[E, Services], WireModel | None]) -> Handler:
        @wraps(work)
        def handler(event: dict[str, Any], context: LambdaContext | None) -> dict[str, Any]:
            keys = {
                "job_id": event.get("jobId"),
                "test_set_id": event.get("testSetId"),
                "classification_id": event.get("classificationId"),
            }
            with _log_outcome(context, **keys) as fields, aws_calls():
                result = work(read_stored(event_model, event), Services(context))
                fields.update(shown(result))
            return result.to_wire() if result else {}

        return handler

    return decorate


def resolver_handler(
    respond: Callable[[dict[str, Any], Services], Any], error_response: Callable[[FinetuningError], dict[str, Any]]
) -> Handler:
    """Make the Lambda handler behind the API, which returns `{"data": …}` or `{"error": {"type", "message"}}`.

    A failure outside of it, a lack of memory for example, is turned into an InternalError by graphql/resolver.js.
    """

    def handler(event: dict[str, Any], context: LambdaContext | None) -> dict[str, Any]:
        arguments = event.get("arguments") or {}
        ids = {**arguments, **(arguments.get("input") or {})}
        keys = {
            "job_id": ids.get("jobId"),
            "test_set_id": ids.get("testSetId"),
            "classification_id": ids.get("classificationId"),
            "field": event.get("field"),
        }
        try:
            with _log_outcome(context, **keys), aws_calls():
                return {"data": respond(event, Services(context))}
        except FinetuningError as error:
            return error_response(error)

    return handler


@contextmanager
def _log_outcome(context: LambdaContext | None, **keys: object) -> Iterator[dict[str, object]]:
    """Log how a run ended, with these keys in every line; what the block adds to the dict goes into the last one.

    An unexpected exception leaves as InternalError: its own text may quote a document, so only its name and the
    lines of code it passed are logged.
    """
    fields: dict[str, object] = {}
    known = {name: _bounded(value) for name, value in keys.items() if value is not None}
    with logger.append_context_keys(request_id=context.aws_request_id if context else None, **known):
        try:
            yield fields
        except FinetuningError as error:
            reason = error.message if isinstance(error, _FOR_OPERATORS) else None
            cause = type(error.__cause__).__name__ if error.__cause__ else None
            logger.warning("failed", extra={"error_code": error.code, "reason": _bounded(reason), "cause": cause})
            raise
        except Exception as error:
            name = type(error).__name__
            places = [f"{frame.filename}:{frame.lineno}" for frame in extract_tb(error.__traceback__)]
            logger.error("failed unexpectedly", extra={"error_code": name, "places": places})  # noqa: TRY400
            raise InternalError(f"The step ended unexpectedly ({name}). See the log of its function.") from None
        logger.info("done", extra=fields)


def _bounded(value: object) -> object:
    """Cut a long text: a request may hold a megabyte, and a line of the log should not."""
    return f"{value[:LONGEST_TEXT]}…" if isinstance(value, str) and len(value) > LONGEST_TEXT else value
