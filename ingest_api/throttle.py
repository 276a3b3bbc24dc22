"""How often somebody may try to log in, or to register.

Counted in PostgreSQL, so for all API processes together; a login asks it anyway, and its quarter of a second of hashing
costs more. (The library `limits` has no store there, and what it counts in memory, it counts for each process.)

Failed logins are counted for the account, whether it exists or not, and for the client's address; a success is not
counted, and empties the account's bucket. Nobody is locked out: after a number of failures at once, one more try is let
through each minute, so that there are never 100 in an hour (OWASP ASVS 4.0.3, 2.2.1). Since somebody else could take
every one of those tries, an address from which the account has logged in within a month has a bucket of its own, which
others cannot fill. And whoever is logged in stays so.

NIST SP 800-63B-4 section 3.2.2 stops an account for good at 100 failures in a row. We do not, since that would let
anyone stop anyone; 1,440 tries a day do not find a password of 15 characters that is not easy to guess.
"""

import hashlib
import hmac
import math
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address

from ingest_api.problems import ProblemError
from ingest_api.rate_limit import policy
from schemas.codes import ProblemCode
from sinks.directory.attempts import Attempts
from sinks.keys import KeyRing

ACCOUNT_INTERVAL_S = 60.0
"""Between two tries at an account when it has had too many."""

KNOWN_TTL_S = 30 * 86_400.0
"""How long an address counts as one of the account's own."""

_MINUTE_S = 60.0


@dataclass(frozen=True, slots=True)
class _LoginKeys:
    account: bytes
    address: bytes
    pair: bytes
    mark: bytes


class Throttle:
    """Lets attempts through or raises. What is counted is stored under keyed hashes: no e-mail, no address."""

    def __init__(self, attempts: Attempts, secret_key: str, *, account_max: int, address_per_minute: int) -> None:
        self._attempts = attempts
        self._key = KeyRing(secret_key, (), "attempts").current
        self._account_max = account_max
        self._address_max = address_per_minute
        self._address_interval_s = _MINUTE_S / address_per_minute

    async def admit_login(self, account: str, address: str) -> None:
        """Count a login before it is checked. Raises ProblemError (429) and DatabaseAwayError."""
        keys = self._login_keys(account, address)
        await self._admit_address(keys.address)
        account_key = keys.pair if await self._attempts.is_marked(keys.mark) else keys.account
        wait_s = await self._attempts.take(account_key, interval_s=ACCOUNT_INTERVAL_S, count_max=self._account_max)
        _require(wait_s, policy("logins", self._account_max, self._account_max * ACCOUNT_INTERVAL_S))

    async def forgive_login(self, account: str, address: str) -> None:
        """Take back what a login counted, for it was right. Raises DatabaseAwayError."""
        keys = self._login_keys(account, address)
        await self._attempts.forgive(
            [keys.account, keys.pair],
            given_back=keys.address,
            interval_s=self._address_interval_s,
            mark=keys.mark,
            mark_ttl_s=KNOWN_TTL_S,
        )

    async def admit_registration(self, address: str) -> None:
        """Count a registration. Raises ProblemError (429) and DatabaseAwayError."""
        await self._admit_address(self._hash("registration", network_of(address)))

    async def admit_reset(self, address: str) -> None:
        """Count a request for another password, or a try at a token for one. Raises ProblemError (429) and
        DatabaseAwayError."""
        await self._admit_address(self._hash("reset", network_of(address)))

    async def _admit_address(self, key: bytes) -> None:
        wait_s = await self._attempts.take(key, interval_s=self._address_interval_s, count_max=self._address_max)
        _require(wait_s, policy("address", self._address_max, _MINUTE_S))

    def _login_keys(self, account: str, address: str) -> _LoginKeys:
        network = network_of(address)
        return _LoginKeys(
            account=self._hash("account", account),
            address=self._hash("address", network),
            pair=self._hash("account at address", account, network),
            mark=self._hash("known", account, network),
        )

    def _hash(self, *parts: str) -> bytes:
        return hmac.digest(self._key.secret, "\x00".join(parts).encode("utf-8", "replace"), hashlib.sha256)


def _require(wait_s: float | None, policy: str) -> None:
    if wait_s is not None:
        headers = {"Retry-After": str(max(1, math.ceil(wait_s))), "RateLimit-Policy": policy}
        detail = "Too many attempts of late. Retry after the seconds in Retry-After."
        raise ProblemError(429, ProblemCode.TOO_MANY_REQUESTS, detail, headers=headers)


def network_of(address: str) -> str:
    """What counts as one client: an IPv4 address, or the /64 that one IPv6 subscriber has to choose from."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if isinstance(found, IPv6Address):
        mapped = found.ipv4_mapped
        return str(mapped) if mapped else f"{IPv6Address(int(found) >> 64 << 64)}/64"
    return str(found)
