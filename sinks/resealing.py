"""Secrets of webhooks, sealed anew under the current secret key, so that earlier ones can be given up."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import asyncpg

from sinks.postgres.statements import read_statement
from sinks.sealing import BrokenSealError, Seal

ROWS_MAX = 1_000
"""Webhooks that are read at a time."""

_SEALED = read_statement(__file__, "sealed_secrets")
_RESEAL = read_statement(__file__, "reseal_secrets")
_FIRST = "00000000-0000-0000-0000-000000000000"


@dataclass(slots=True)
class Resealed:
    """How many webhooks were looked at, how many of them sealed anew, and whose secrets no key opens."""

    seen: int = 0
    renewed: int = 0
    broken: list[str] = field(default_factory=list)


async def reseal_webhooks(connection: asyncpg.Connection, seal: Seal, *, rows_max: int = ROWS_MAX) -> Resealed:
    """Seal all that earlier keys have sealed. What its owner changes meanwhile is sealed under the current key anyway.

    Raises what asyncpg does. May be repeated.
    """
    found, after = Resealed(), _FIRST
    while rows := await connection.fetch(_SEALED, after, rows_max):
        for row in rows:
            await _reseal(connection, seal, row, found)
        after = rows[-1]["user_id"]
    return found


async def _reseal(connection: asyncpg.Connection, seal: Seal, row: asyncpg.Record, found: Resealed) -> None:
    user_id, sealed = row["user_id"], [row["secret_sealed"], row["previous_secret_sealed"]]
    found.seen += 1
    try:
        renewed = _renewed(seal, sealed, user_id)
    except BrokenSealError:
        found.broken.append(user_id)
        return
    if renewed != sealed:
        await connection.execute(_RESEAL, user_id, *sealed, *renewed)
        found.renewed += 1


def _renewed(seal: Seal, sealed: Sequence[bytes | None], owner: str) -> list[bytes | None]:
    return [
        each if each is None or seal.is_current(each) else seal.close(seal.open(each, owner), owner) for each in sealed
    ]
