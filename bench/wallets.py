"""Wallets by number, made straight in the database: up to millions, all of one currency, without any money."""

from functools import lru_cache
from hashlib import md5

import asyncpg

CURRENCY = "USD"
WALLETS_A_STATEMENT = 500_000
STATEMENT_TIMEOUT_S = 600.0

_CACHED_IDS = 1_000_000
_DROP_FROM = 200_000
"""From here on it is quicker to build keys afterwards than to keep them up."""

# User ids and e-mails rise with the number, so that their indexes grow at one end. Wallet ids, the ones that transfers
# look up, are spread as the random ones of real life. Nobody can log in: no password has this hash.
_FILL = """
with made as (
    insert into users (user_id, email, password_hash)
    select lpad(to_hex(number), 32, '0')::uuid, 'wallet-' || lpad(number::text, 9, '0') || '@example.com', '!'
    from generate_series($1::bigint, $2::bigint) as number
    returning user_id
)
insert into wallets (wallet_id, user_id, currency)
select md5('wallet-' || number)::uuid, lpad(to_hex(number), 32, '0')::uuid, $3
from generate_series($1::bigint, $2::bigint) as number
where (select count(*) from made) > 0
"""

_CONSTRAINTS = """
select conname, pg_get_constraintdef(oid) as definition
from pg_constraint
where conrelid = 'wallets'::regclass and contype in ('f', 'p')
order by contype desc
"""


@lru_cache(_CACHED_IDS)
def wallet_id(number: int) -> str:
    """The id of wallet ``number``, as text: the same in every run."""
    digits = md5(b"wallet-%d" % number, usedforsecurity=False).hexdigest()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


async def make_wallets(database: asyncpg.Connection, count: int) -> None:
    """Make wallets 0 to ``count`` - 1 of ``CURRENCY``, each with a user of its own, in a database that has none.

    ``database`` is the schema's owner. Raises asyncpg.PostgresError.
    """
    constraints = await database.fetch(_CONSTRAINTS) if count >= _DROP_FROM else []
    for one in constraints:
        await _execute(database, f'alter table wallets drop constraint "{one["conname"]}"')
    for first in range(0, count, WALLETS_A_STATEMENT):
        last = min(count, first + WALLETS_A_STATEMENT) - 1
        await database.execute(_FILL, first, last, CURRENCY, timeout=STATEMENT_TIMEOUT_S)
    for one in constraints:
        await _execute(database, f'alter table wallets add constraint "{one["conname"]}" {one["definition"]}')
    await _execute(database, "vacuum analyze users, wallets")


async def has_wallets(database: asyncpg.Connection) -> bool:
    """Whether they have been made."""
    return bool(await database.fetchval("select exists (select from wallets where kind = 'user')"))


async def _execute(database: asyncpg.Connection, statement: str) -> None:
    await database.execute(statement, timeout=STATEMENT_TIMEOUT_S)
