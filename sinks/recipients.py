"""Who is told of what happens to a wallet."""

from collections.abc import Iterable, Mapping

import asyncpg
import msgspec

from sinks.postgres.retry import until_done

CACHE_ENTRIES_MAX = 200_000

_OWNERS = """
select wallet_id::text, user_id::text, email from wallets left join users using (user_id)
where wallet_id = any($1::uuid[])
"""


class Recipient(msgspec.Struct, gc=False, frozen=True):
    """The owner of a wallet."""

    user_id: str
    email: str


class Recipients:
    """Looks up wallets' owners and remembers them, up to a bound: a wallet never changes hands.

    An e-mail address that its owner changes is noticed when the process starts anew.
    """

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._known: dict[str, Recipient | None] = {}

    async def owners(self, wallet_ids: Iterable[str]) -> Mapping[str, Recipient | None]:
        """A mapping that holds at least these wallets: their owners, or None where there is none.

        Waits while the database is away.
        """
        wanted = set(wallet_ids)
        missing = [wallet_id for wallet_id in wanted if wallet_id not in self._known]
        if missing:
            if len(self._known) + len(missing) > CACHE_ENTRIES_MAX:
                self._known = {}
                missing = list(wanted)
            found = await self._read(missing)
            # A wallet that does not exist may come to be, so only its absence from this answer is told.
            self._known.update(found)
        return self._known

    async def _read(self, wallet_ids: list[str]) -> dict[str, Recipient | None]:
        async for attempt in until_done():
            with attempt:
                rows = await self._pool.fetch(_OWNERS, wallet_ids)
        return {wallet_id: None if user_id is None else Recipient(user_id, email) for wallet_id, user_id, email in rows}
