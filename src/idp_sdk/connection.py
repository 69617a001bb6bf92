"""The addresses of a deployment, and the files that have them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic.alias_generators import to_camel

from idp_finetuning.text import is_unicode
from idp_sdk.errors import NotConfigured
from idp_sdk.text_files import decode_text

# The API's own address; a custom domain says nothing about the region.
_APPSYNC_HOST = re.compile(r"[a-z0-9]+\.appsync-api\.([a-z0-9-]+)\.amazonaws\.com")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def is_local(url: str) -> bool:
    """Return whether a URL leads to this machine."""
    return urlsplit(url).hostname in _LOOPBACK


class Connection(BaseModel):
    """Addresses and names of a deployment; region and client id are needed to sign in."""

    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True, extra="ignore")

    graphql_url: str
    region: str | None = None
    user_pool_id: str | None = None
    user_pool_client_id: str | None = None
    cognito_endpoint_url: str | None = Field(
        default=None, validation_alias=AliasChoices("cognitoEndpointUrl", "awsEndpointUrl", "cognito_endpoint_url")
    )

    @field_validator("graphql_url", "cognito_endpoint_url")
    @classmethod
    def _safe(cls, url: str | None) -> str | None:
        if url is None:
            return None
        if not is_unicode(url):
            raise ValueError("the address has characters that are not UTF-8")
        parts = urlsplit(url)
        if not parts.hostname or not (parts.scheme == "https" or (parts.scheme == "http" and is_local(url))):
            raise ValueError("passwords and tokens are sent there, so it has to begin with https://")
        return url

    @property
    def foreign_address(self) -> str | None:
        """Say why passwords and tokens would go elsewhere than the API, or return None.

        A file that somebody sent may name the API of a deployment and another address to sign in at.
        """
        host = urlsplit(self.graphql_url).hostname or ""
        named = _APPSYNC_HOST.fullmatch(host)
        if named and self.region and named[1] != self.region:
            return f"the API is in {named[1]}, and the region to sign in at is {self.region}"
        if self.cognito_endpoint_url is None:
            return None
        sign_in_at = urlsplit(self.cognito_endpoint_url).hostname or ""
        if is_local(self.graphql_url) != is_local(self.cognito_endpoint_url):
            return f"the API is at {host}, and passwords would be sent to {sign_in_at}"
        if not is_local(self.graphql_url) and not sign_in_at.endswith((".amazonaws.com", ".amazonaws.com.cn")):
            return f"passwords would be sent to {sign_in_at}, which is no address of AWS"
        return None

    @property
    def cognito_url(self) -> str:
        """Address of Cognito's API. Raises NotConfigured without a region."""
        if self.cognito_endpoint_url:
            return self.cognito_endpoint_url.rstrip("/") + "/"
        if not self.region:
            raise NotConfigured("The region of the user pool is not known. Set IDP_REGION, or configure a profile.")
        domain = "amazonaws.com.cn" if self.region.startswith("cn-") else "amazonaws.com"
        return f"https://cognito-idp.{self.region}.{domain}/"

    def same_deployment(self, other: Connection) -> bool:
        """Return whether the tokens of one are valid for the other."""
        return (self.graphql_url, self.user_pool_client_id) == (other.graphql_url, other.user_pool_client_id)

    @classmethod
    def of(cls, values: Any, source: str) -> Connection:
        """Return the connection in these values. Raises NotConfigured that names the source and what is wrong there."""
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            problems = [(".".join(map(str, p["loc"])), p["msg"].removeprefix("Value error, ")) for p in error.errors()]
            listed = "; ".join(f"{place}: {message}" if place else message for place, message in problems)
            raise NotConfigured(f"{source} describes no connection ({listed}).") from None


def read_connection(file: Path, *, stack: str | None = None) -> Connection:
    """Return the connection in the file of `cdk deploy --outputs-file`, or in a local runtime's connection.json.

    `stack` names one of the stacks in the file. Raises NotConfigured if the file is neither, has no such stack, or has
    several and none is named.
    """
    try:
        content = json.loads(decode_text(file.read_bytes()))
    except (OSError, ValueError, RecursionError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not JSON"
        raise NotConfigured(
            f"'{file}' cannot be read: {reason}. Give the file that cdk deploy --outputs-file wrote, or the "
            "connection.json of a local runtime."
        ) from None
    stacks = _stacks(content)
    if stack is None and len(stacks) > 1:
        raise NotConfigured(f"'{file}' has the outputs of several stacks: {', '.join(stacks)}. Name one (--stack).")
    if stack is not None and stack not in stacks:
        raise NotConfigured(f"'{file}' has no stack '{stack}' with a graphqlUrl, but {', '.join(stacks) or 'none'}.")
    if stacks:
        return Connection.of(stacks[stack or next(iter(stacks))], f"'{file}'")
    raise NotConfigured(
        f"'{file}' names no graphqlUrl. Give the file that cdk deploy --outputs-file wrote, or the connection.json "
        "of a local runtime."
    )


def _stacks(content: Any) -> dict[str, dict[str, Any]]:
    """Values by the stack's name; a local runtime's file has one without a name."""
    if not isinstance(content, dict):
        return {}
    found = {}
    for name, stack in (("local", content), *content.items()):
        if isinstance(stack, dict):
            values = {key[:1].lower() + key[1:]: value for key, value in stack.items()}  # outputs begin with a capital
            if "graphqlUrl" in values:
                found[name] = values
    return found
