"""`IDPClient`: a deployment as one signed-in user sees it."""

from __future__ import annotations

from types import TracebackType
from typing import Self

import httpx

from idp_sdk.api import Api
from idp_sdk.classification import Classifications
from idp_sdk.config_versions import ConfigVersions
from idp_sdk.finetuning import Finetuning
from idp_sdk.models import Models
from idp_sdk.sending import Sender, open_client
from idp_sdk.signin.cognito import Cognito
from idp_sdk.signin.configuration import Settings, find_settings
from idp_sdk.signin.profiles import Profiles
from idp_sdk.signin.sessions import FixedSession, Session
from idp_sdk.test_sets import TestSets
from idp_sdk.users import Users


class IDPClient:
    """A client of one deployment for one user. Threads may share it; `close` it or use it as a context manager.

    - `finetuning`: validate test sets; create, watch, stop, retry and delete jobs
    - `models`: base models and custom models
    - `test_sets`: upload labelled documents, add and remove some, list, delete
    - `config_versions`: which model classifies, and with which prompt and classes
    - `users`: users and their scope, for Admins
    - `classify`: the classes of a document's pages

    Values that are not given come from the environment (IDP_GRAPHQL_URL, IDP_REGION, IDP_USER_POOL_ID,
    IDP_USER_POOL_CLIENT_ID, IDP_COGNITO_ENDPOINT_URL, IDP_USERNAME, IDP_PASSWORD, IDP_TOKEN, IDP_PROFILE), else from
    the profile that `idp-cli configure` and `idp-cli login` wrote. `token` is an id token. `timeout` is that of one
    request in seconds, `retries` how often a request is retried that was throttled or that the server failed.
    Raises NotConfigured.
    """

    def __init__(
        self,
        *,
        profile: str | None = None,
        graphql_url: str | None = None,
        region: str | None = None,
        user_pool_id: str | None = None,
        user_pool_client_id: str | None = None,
        username: str | None = None,
        password: str | None = None,
        token: str | None = None,
        cognito_endpoint_url: str | None = None,
        timeout: float = 60.0,
        retries: int = 4,
        http_client: httpx.Client | None = None,
    ) -> None:
        settings = find_settings(
            profile=profile,
            graphql_url=graphql_url,
            region=region,
            user_pool_id=user_pool_id,
            user_pool_client_id=user_pool_client_id,
            username=username,
            password=password,
            token=token,
            cognito_endpoint_url=cognito_endpoint_url,
        )
        self.connection = settings.connection
        self.profile = settings.profile
        self._closes = http_client is None
        self._http = http_client or open_client(settings.connection.graphql_url, timeout)
        sender = Sender(self._http, retries)
        api = Api(settings.connection.graphql_url, sender, _session(settings, sender))
        self.finetuning = Finetuning(api)
        self.models = Models(api)
        self.test_sets = TestSets(api, sender)
        self.config_versions = ConfigVersions(api)
        self.users = Users(api)
        self.classify = Classifications(api, sender).classify

    def close(self) -> None:
        """Close the connections; an `http_client` that was given stays open."""
        if self._closes:
            self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"IDPClient(graphql_url={self.connection.graphql_url!r}, profile={self.profile!r})"


def _session(settings: Settings, sender: Sender) -> Session:
    if settings.token:
        return FixedSession(settings.token.get_secret_value())
    cognito = Cognito(settings.connection, sender)
    if settings.username and settings.password:
        username, password = settings.username, settings.password
        return Session(
            refresh=cognito.refresh,
            sign_in=lambda: cognito.sign_in(username, password.get_secret_value(), None),
        )
    profiles = Profiles()
    return Session(
        tokens=profiles.tokens(settings.profile, settings.connection),
        refresh=cognito.refresh,
        keep=lambda tokens: profiles.renew_tokens(settings.profile, settings.connection, tokens),
    )
