"""Lists of transfers."""

from typing import Literal, Unpack

from hfts_client.answers import read
from hfts_client.api import Api, target
from hfts_client.effects import Emit, Stream
from hfts_client.filters import Filters, query_of
from hfts_client.models import Id, Transfer, TransferPage
from hfts_client.orders import id_text
from hfts_client.paths import TRANSFERS

PAGE_SIZE = 100


def list_all(
    api: Api,
    *,
    wallet_id: Id | None = None,
    status: Literal["COMPLETED", "FAILED"] | None = None,
    page_size: int = PAGE_SIZE,
    **filters: Unpack[Filters],
) -> Stream[Transfer]:
    """Transfers that were decided, the newest first: the caller's, or those of one wallet; pages as they are needed."""
    query = {"wallet_id": None if wallet_id is None else id_text(wallet_id), "status": status, **query_of(filters)}
    starting_after: str | None = None
    while True:
        answer = yield from api.get(target(TRANSFERS, limit=page_size, starting_after=starting_after, **query))
        page = read(answer, TransferPage)
        for transfer in page.data:
            yield Emit(transfer)
        if not page.has_more:
            return
        starting_after = page.next_cursor
