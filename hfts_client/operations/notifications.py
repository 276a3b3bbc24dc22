"""How one is told of transfers, where one's webhook is, and what was told."""

from collections.abc import Mapping

from hfts_client.amounts import AmountLike, amount_text
from hfts_client.answers import read
from hfts_client.api import Api, target
from hfts_client.effects import Emit, Operation, Request, Stream
from hfts_client.models import Delivery, DeliveryPage, NewWebhookSecret, NotificationPreferences, Webhook
from hfts_client.paths import DELIVERIES, PREFERENCES, WEBHOOK

PAGE_SIZE = 100


def preferences(api: Api) -> Operation[NotificationPreferences]:
    """How the caller is told of transfers."""
    return read((yield from api.get(PREFERENCES)), NotificationPreferences)


def set_preferences(
    api: Api,
    *,
    email: bool = True,
    webhook: bool = True,
    failures: bool = True,
    minimums: Mapping[str, AmountLike] | None = None,
) -> Operation[NotificationPreferences]:
    """Replace all of it. ``minimums``: by currency, the least amount of a completed transfer to be told of."""
    amounts = {currency: amount_text(amount) for currency, amount in (minimums or {}).items()}
    body = {"email": email, "webhook": webhook, "failures": failures, "minimums": amounts}
    return read((yield from api.send("PUT", PREFERENCES, body, is_repeatable=True)), NotificationPreferences)


def retrieve_webhook(api: Api) -> Operation[Webhook]:
    """The caller's webhook."""
    return read((yield from api.get(WEBHOOK)), Webhook)


def set_webhook(api: Api, url: str) -> Operation[NewWebhookSecret]:
    """Have notifications sent to this URL. A new webhook's ``secret`` is shown once, here: keep it."""
    return read((yield from api.send("PUT", WEBHOOK, {"url": url})), NewWebhookSecret)


def delete_webhook(api: Api) -> Operation[None]:
    """Forget the caller's webhook and its secrets."""
    yield from api.call(Request("DELETE", WEBHOOK))


def rotate_webhook_secret(api: Api) -> Operation[NewWebhookSecret]:
    """Another secret, shown once, here. The one before signs beside it until ``previous_secret_until``."""
    request = Request("POST", f"{WEBHOOK}/secret", is_repeatable=False)
    return read((yield from api.call(request)), NewWebhookSecret)


def deliveries(api: Api, *, page_size: int = PAGE_SIZE) -> Stream[Delivery]:
    """The caller's delivery log, the newest first; pages are read as they are needed."""
    starting_after: str | None = None
    while True:
        answer = yield from api.get(target(DELIVERIES, limit=page_size, starting_after=starting_after))
        page = read(answer, DeliveryPage)
        for delivery in page.data:
            yield Emit(delivery)
        starting_after = page.next_cursor
        if not page.has_more or starting_after is None:
            return
