"""Any service that Apprise knows: chat, mail, pagers. Imported only if a channel has this kind."""

import io
import logging
from concurrent.futures import Future
from threading import Thread

import apprise

from streammetrics.errors import InputOutputError
from streammetrics.notify.messages import Message

_KINDS = {"firing": apprise.NotifyType.FAILURE, "over": apprise.NotifyType.SUCCESS, "news": apprise.NotifyType.WARNING}


def send(url: str, message: Message, timeout_seconds: float) -> None:
    """Send a message as text.

    Raises:
        InputOutputError: Apprise does not know such a URL, or the service does not accept the message in time.
    """
    # Without threads of Apprise: the process would wait for their end.
    service = apprise.Apprise(asset=apprise.AppriseAsset(async_mode=False))
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
    result = Future[bool]()

    def notify() -> None:
        try:
            is_taken = service.notify(
                title=message.subject,
                body=message.body,
                notify_type=_KINDS[message.kind],
                body_format=apprise.NotifyFormat.TEXT,
            )
            result.set_result(bool(is_taken))
        except Exception as error:
            result.set_exception(error)

    # Apprise's own limits apply to each attempt, recipient and part of an answer, not to the whole.
    Thread(target=notify, daemon=True).start()
    try:
        is_sent = result.result(timeout_seconds)
    except TimeoutError:
        raise InputOutputError(f"took longer than {timeout_seconds:g} s") from None
    finally:
        logger.removeHandler(handler)
    if not is_sent:
        words = " ".join(reasons.getvalue().split())[:200]
        raise InputOutputError(words or "the service did not take it")
