"""Who may do what: the roles of accounts, the rights that each has, and those of them that a key can be given.

The one place that decides it. Which right a route asks for stands in `ingest_api.route_rights`.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Literal, TypeAlias

Role: TypeAlias = Literal["user", "producer", "analyst", "ops", "admin"]
"""A `user` has what is its own; a `producer` is a program, which has no password but API keys; an `analyst` reads
everything in the ledger and moves nothing; `ops` is a user who also operates the pipeline; an `admin` may do all.

Who registers is a `user`. Admins make producers, and let users become analysts, operators or admins.
"""

PersonalRole: TypeAlias = Literal["user", "analyst", "ops", "admin"]
"""Of an account that a person logs in to. It may become another one of these, and never a producer."""

Scope: TypeAlias = Literal["transfers:write", "transfers:read", "wallets:write", "wallets:read", "deposits:write"]
"""A right that an API key can be given."""


class Right(StrEnum):
    """What a route asks for. Those on transfers and wallets reach no further than what is the caller's own, but for
    callers who may read, or move, everything."""

    TRANSFERS_WRITE = "transfers:write"
    TRANSFERS_READ = "transfers:read"
    WALLETS_WRITE = "wallets:write"
    WALLETS_READ = "wallets:read"
    DEPOSITS_WRITE = "deposits:write"
    ACCOUNT_READ = "account:read"
    ACCOUNT_WRITE = "account:write"
    READ_ALL = "all:read"
    MOVE_ALL = "all:move"
    OPERATE = "pipeline:operate"
    ADMINISTER = "accounts:administer"


_OWN = frozenset(
    {
        Right.TRANSFERS_WRITE,
        Right.TRANSFERS_READ,
        Right.WALLETS_WRITE,
        Right.WALLETS_READ,
        Right.ACCOUNT_READ,
        Right.ACCOUNT_WRITE,
    }
)

RIGHTS: Mapping[Role, frozenset[Right]] = {
    "user": _OWN,
    # Beside it, of the scopes those that its key has.
    "producer": frozenset({Right.ACCOUNT_READ}),
    "analyst": frozenset(
        {Right.TRANSFERS_READ, Right.WALLETS_READ, Right.READ_ALL, Right.ACCOUNT_READ, Right.ACCOUNT_WRITE}
    ),
    "ops": _OWN | {Right.OPERATE},
    "admin": frozenset(Right),
}
