"""What a shell offers for ids and names: those that the deployment has, if it says so quickly."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice
from typing import TYPE_CHECKING

from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    import click

    from idp_sdk import IDPClient

SECONDS = 3.0
MOST = 50

_Complete = Callable[["click.Context", "click.Parameter", str], list[CompletionItem]]


def _offer(find: Callable[[IDPClient], Iterable[tuple[str, str]]]) -> _Complete:
    """Return a function for click that offers ids with descriptions; nothing if there is no sign-in or no answer."""

    def complete(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG001
        from idp_cli.output import printable
        from idp_cli.session import Session
        from idp_sdk import IDPClient

        try:
            session = ctx.find_object(Session)
            with IDPClient(profile=session.profile if session else None, timeout=SECONDS, retries=0) as client:
                found = islice(find(client), MOST)
                return [
                    CompletionItem(value, help=printable(text)) for value, text in found if value.startswith(incomplete)
                ]
        except Exception:
            return []  # a shell that completes must not show errors

    return complete


complete_jobs = _offer(lambda client: ((job.id, f"{job.name} {job.status}") for job in client.finetuning.list_jobs()))
complete_test_sets = _offer(lambda client: ((item.id, f"{item.status}") for item in client.test_sets.list()))
complete_versions = _offer(lambda client: ((item.name, item.description) for item in client.config_versions.list()))


def _models(client: IDPClient) -> Iterable[tuple[str, str]]:
    found = client.models.list_available_models()
    yield from ((model.id, model.name) for model in found.base_models)
    yield from ((model.id, model.name) for model in found.custom_models)


complete_models = _offer(_models)
