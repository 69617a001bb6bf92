"""What Cognito may ask for after the password, and under which name it takes the answer."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict

from idp_sdk.errors import SignInFailed


class ChallengeName(StrEnum):
    """What Cognito may ask for after the password, and this client can ask the user."""

    NEW_PASSWORD_REQUIRED = "NEW_PASSWORD_REQUIRED"  # noqa: S105 - a name
    SOFTWARE_TOKEN_MFA = "SOFTWARE_TOKEN_MFA"  # noqa: S105
    SMS_MFA = "SMS_MFA"
    EMAIL_OTP = "EMAIL_OTP"


# The name under which Cognito takes each answer.
ANSWER_NAMES = {
    ChallengeName.NEW_PASSWORD_REQUIRED: "NEW_PASSWORD",
    ChallengeName.SOFTWARE_TOKEN_MFA: "SOFTWARE_TOKEN_MFA_CODE",
    ChallengeName.SMS_MFA: "SMS_MFA_CODE",
    ChallengeName.EMAIL_OTP: "EMAIL_OTP_CODE",
}


class Challenge(BaseModel):
    """What to ask the user for. `sent_to` is where a code was sent, `problem` why the last answer was refused."""

    model_config = ConfigDict(frozen=True)

    name: ChallengeName
    username: str
    sent_to: str | None = None
    problem: str | None = None

    @property
    def prompt(self) -> str:
        """The question for the user."""
        to = f" sent to {self.sent_to}" if self.sent_to else ""
        return {
            ChallengeName.NEW_PASSWORD_REQUIRED: "New password",
            ChallengeName.SOFTWARE_TOKEN_MFA: "Code of your authenticator app",
            ChallengeName.SMS_MFA: f"Code{to}",
            ChallengeName.EMAIL_OTP: f"Code{to}",
        }[self.name]


def read_challenge(outcome: Mapping[str, Any], username: str) -> Challenge:
    """Return the challenge in a response of Cognito. Raises SignInFailed for one that this client cannot answer."""
    parameters = outcome.get("ChallengeParameters") or {}
    name = outcome.get("ChallengeName")
    if name == "MFA_SETUP":
        raise SignInFailed(
            f"'{username}' has to set up a second factor first, which this client cannot do. Ask an Admin how to "
            "set it up."
        )
    if name not in set(ChallengeName):
        raise SignInFailed(f"Cognito asks '{username}' for {name}, which this client cannot answer. Ask an Admin.")
    return Challenge(
        name=ChallengeName(name), username=username, sent_to=parameters.get("CODE_DELIVERY_DESTINATION") or None
    )
