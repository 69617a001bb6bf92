"""The edge between Lambda and the domain: typed events, job id in every log line, failures under their names."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from traceback import extract_tb
from typing import Any, TypeVar

from aws_lambda_powertools import Logger

from idp_finetuning.adapters.aws_calls import aws_calls
from idp_finetuning.adapters.services import Services
from idp_finetuning.errors import FinetuningError
from idp_finetuning.wire import WireModel

E = TypeVar("E", bound=WireModel)

logger = Logger()


class JobEvent(WireModel):
    """The input of most states."""

    job_id: str


def state_handler(
    event_model: type[E],
) -> Callable[[Callable[[E, Services], WireModel | None]], Callable[[dict[str, Any], Any], dict[str, Any]]]:
    """Makes a Lambda handler of a function from a typed event and services to a model (or nothing: `{}`).

    Failures leave as classes of idp_finetuning.errors, which Step Functions sees under their names. Log lines
    carry the job id and never the content of a document.
    """

    def decorate(
        work: Callable[[E, Services], WireModel | None],
    ) -> Callable[[dict[str, Any], Any], dict[str, Any]]:
        @wraps(work)
        def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
            logger.append_keys(
                job_id=event.get("jobId"),
                test_set_id=event.get("testSetId"),
                request_id=getattr(context, "aws_request_id", None),
                state=work.__module__,
            )
            with _logged(), aws_calls():
                result = work(event_model.model_validate(event), Services(context))
            return result.to_wire() if result else {}

        return handler

    return decorate


def resolver_handler(
    answer: Callable[[dict[str, Any], Services], Any], error_answer: Callable[[FinetuningError], dict[str, Any]]
) -> Callable[[dict[str, Any], Any], dict[str, Any]]:
    """Makes the Lambda handler behind the API: `{"data": …}`, or `{"error": {"type", "message"}}`.

    An unexpected exception leaves as it is; graphql/resolver.js turns it into an InternalError without details.
    """

    def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
        named = {**event.get("arguments", {}), **(event.get("arguments", {}).get("input") or {})}
        logger.append_keys(
            job_id=named.get("jobId"),
            test_set_id=named.get("testSetId"),
            request_id=getattr(context, "aws_request_id", None),
            field=event.get("field"),
        )
        try:
            with _logged(), aws_calls():
                return {"data": answer(event, Services(context))}
        except FinetuningError as error:
            return error_answer(error)

    return handler


@contextmanager
def _logged() -> Iterator[None]:
    """Logs how a run ended: by name of the failure and, where it was not expected, the places it passed.

    Never its text: the text of an unexpected exception may quote a document.
    """
    try:
        yield
    except FinetuningError as error:
        logger.warning("failed", extra={"error_code": error.code})
        raise
    except Exception as error:
        places = [f"{frame.filename}:{frame.lineno}" for frame in extract_tb(error.__traceback__)]
        logger.error("failed unexpectedly", extra={"error_code": type(error).__name__, "places": places})  # noqa: TRY400
        raise
    logger.info("done")
