"""Any service that Apprise knows: chat, mail, pagers. Imported only where a channel is of this kind."""

import io
import logging

import apprise

from streammetrics.errors import InputOutputError
from streammetrics.notify.messages import Message

_KINDS = {"firing": apprise.NotifyType.FAILURE, "over": apprise.NotifyType.SUCCESS, "news": apprise.NotifyType.WARNING}


def send(url: str, message: Message) -> None:
    """Send a message as text.

    Raises:
        InputOutputError: Apprise does not know such a URL, or the service does not take the message.
    """
    service = apprise.Apprise()
    if not service.add(url):
        raise InputOutputError(
            "Apprise does not accept its URL: unknown kind, or a part is missing (https://github.com/caronc/apprise/wiki)"
        )
    # Apprise logs why it failed, and returns False. It logs no URLs at this level.
    reasons = io.StringIO()
    handler = logging.StreamHandler(reasons)
    handler.setLevel(logging.WARNING)
    logger = logging.getLogger("apprise")
    logger.addHandler(handler)
    try:
        is_sent = service.notify(
            title=message.subject,
            body=message.body,
            notify_type=_KINDS[message.kind],
            body_format=apprise.NotifyFormat.TEXT,
        )
    finally:
        logger.removeHandler(handler)
    if not is_sent:
        words = " ".join(reasons.getvalue().split())[:200]
        raise InputOutputError(words or "the service did not take it")
