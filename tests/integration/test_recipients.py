import asyncpg
import pytest
from builders import new_id

from sinks import recipients as module
from sinks.recipients import Recipients


async def test_nobody_is_forgotten_when_the_cache_is_full(pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CACHE_ENTRIES_MAX", 3)
    wallets = []
    for number in range(5):
        user = await pool.fetchval(
            "insert into users (email, password_hash) values ($1, '') returning user_id", f"{number}@example.com"
        )
        insert = "insert into wallets (user_id, currency) values ($1, 'USD') returning wallet_id::text"
        wallets.append(await pool.fetchval(insert, user))
    world = await pool.fetchval(
        "insert into wallets (kind, currency) values ('world', 'USD') returning wallet_id::text"
    )
    recipients = Recipients(pool)
    for _ in range(2):
        for start in (0, 1, 2, 3):
            asked = [*wallets[start : start + 2], world, new_id()]
            owners = await recipients.owners(wallet_id for wallet_id in asked)
            emails = [None if (owner := owners.get(wallet_id)) is None else owner.email for wallet_id in asked]
            assert emails == [f"{start}@example.com", f"{start + 1}@example.com", None, None]
