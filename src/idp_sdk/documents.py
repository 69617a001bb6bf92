"""GraphQL documents of one field, made from the field's arguments and the type of its result."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, get_args

from pydantic import BaseModel, TypeAdapter, ValidationError

from idp_sdk.errors import ServerError

Result = TypeVar("Result")


@dataclass(frozen=True)
class Operation(Generic[Result]):
    """A field of the API: the document that asks for it, and how its data becomes a result.

    `idempotent` says whether sending it twice does no more than sending it once.
    """

    field: str
    document: str
    idempotent: bool
    result: TypeAdapter[Result]

    def read(self, data: object) -> Result:
        """Return the result in the field's data; members that this version does not know are ignored.

        Raises ServerError if this version cannot read it.
        """
        try:
            return self.result.validate_python(data, extra="ignore")
        except ValidationError as error:
            members = ", ".join(".".join(str(part) for part in problem["loc"]) for problem in error.errors())
            raise ServerError(
                f"The server's response to {self.field} does not fit this version of the SDK ({members}). Update "
                "idp-finetuning to the version of the deployment."
            ) from None


def query(field: str, result: type[Result], **arguments: str) -> Operation[Result]:
    """Return the query of a field; `arguments` are its arguments with their GraphQL types."""
    return Operation(field, _document("query", field, result, arguments), True, TypeAdapter(result))


def mutation(field: str, result: type[Result], *, idempotent: bool = False, **arguments: str) -> Operation[Result]:
    """Return the mutation of a field; `arguments` are its arguments with their GraphQL types."""
    return Operation(field, _document("mutation", field, result, arguments), idempotent, TypeAdapter(result))


def _document(kind: str, field: str, result: Any, arguments: dict[str, str]) -> str:
    if not arguments:
        return f"{kind} {{ {field}{selection(result)} }}"
    declared = ", ".join(f"${name}: {type_}" for name, type_ in arguments.items())
    passed = ", ".join(f"{name}: ${name}" for name in arguments)
    return f"{kind} ({declared}) {{ {field}({passed}){selection(result)} }}"


def selection(result: Any) -> str:
    """Return the selection of all members of the model in a type, with a space before it; nothing for a scalar."""
    model = next(_models_in(result), None)
    if model is None:
        return ""
    members = (f"{field.alias or name}{selection(field.annotation)}" for name, field in model.model_fields.items())
    return f" {{ {' '.join(members)} }}"


def _models_in(type_: Any) -> Iterator[type[BaseModel]]:
    """Yield the model itself, or those inside of `tuple[Model, ...]` and `Model | None`."""
    if isinstance(type_, type) and issubclass(type_, BaseModel):
        yield type_
    for argument in get_args(type_):
        yield from _models_in(argument)
