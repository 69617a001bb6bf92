"""E-mail through Amazon SES."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_sesv2 import SESV2Client


class Mailer:
    """Sends plain text from one address, which the operator has verified in SES."""

    def __init__(self, ses: SESV2Client, sender: str) -> None:
        self._ses = ses
        self._sender = sender

    def send(self, address: str, subject: str, text: str) -> None:
        """Send one e-mail to one address."""
        self._ses.send_email(
            FromEmailAddress=self._sender,
            Destination={"ToAddresses": [address]},
            Content={
                "Simple": {
                    "Subject": {"Data": subject, "Charset": "UTF-8"},
                    "Body": {"Text": {"Data": text, "Charset": "UTF-8"}},
                }
            },
        )
