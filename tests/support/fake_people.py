"""Stand-ins for what the API asks of accounts: who is who, who may log in, and which keys are good."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import uuid4

from sinks.directory.api_keys import ApiKeys, GoodKey
from sinks.directory.attempts import Attempts
from sinks.directory.revocations import RecentRevocations
from sinks.directory.sessions import Renewed, Sessions
from sinks.directory.users import LoginRow, UserRow, Users
from sinks.errors import DatabaseAwayError
from sinks.password_rules import refusal


class FakeUsers(Users):
    def __init__(self) -> None:
        self.logins: dict[str, LoginRow] = {}
        self.fault: Exception | None = None

    async def find_login(self, email: str) -> LoginRow | None:
        return self.logins.get(email)

    async def create(self, email: str, password_hash: str) -> UserRow | None:
        now = datetime.now(UTC)
        return UserRow(user_id=str(uuid4()), email=email, status="active", role="user", created_at=now, updated_at=now)

    async def find(self, user_id: str) -> UserRow | None:
        if self.fault is not None:
            raise self.fault
        return None


class FakePasswords:
    """Keeps a password as it is, and the hashes it was asked to check."""

    def __init__(self) -> None:
        self.checked: list[str | None] = []

    async def verify(self, text: str, hashed: str | None) -> bool:
        self.checked.append(hashed)
        return text == hashed

    async def hash(self, text: str) -> str:
        return text

    async def upgraded(self, text: str, hashed: str) -> str | None:
        return None

    async def refusal(self, text: str, email: str) -> str | None:
        return refusal(text, (email,))


class FakeSessions(Sessions):
    """Sessions by their id, each with the hash of its newest token."""

    def __init__(self) -> None:
        self.newest: dict[str, bytes] = {}
        self.renewed = Renewed("", "user")

    async def open(self, session_id: str, user_id: str, session_epoch: int, token_hash: bytes, ttl_s: int) -> bool:
        self.newest[session_id] = token_hash
        self.renewed = Renewed(user_id, "user")
        return True

    async def renew(self, session_id: str, shown_hash: bytes, next_hash: bytes) -> Renewed | None:
        if self.newest.get(session_id) != shown_hash:
            self.newest.pop(session_id, None)
            return None
        self.newest[session_id] = next_hash
        return self.renewed

    async def revoke(self, session_id: str) -> None:
        self.newest.pop(session_id, None)


class FakeAttempts(Attempts):
    """Buckets that never drain."""

    def __init__(self) -> None:
        self.counts: Counter[bytes] = Counter()
        self.marks: set[bytes] = set()

    async def take(self, key: bytes, *, interval_s: float, count_max: int) -> float | None:
        if self.counts[key] >= count_max:
            return interval_s
        self.counts[key] += 1
        return None

    async def is_marked(self, key: bytes) -> bool:
        return key in self.marks

    async def forgive(
        self, emptied: Sequence[bytes], *, given_back: bytes, interval_s: float, mark: bytes, mark_ttl_s: float
    ) -> None:
        for key in emptied:
            del self.counts[key]
        self.counts[given_back] -= 1
        self.marks.add(mark)


class FakeApiKeys(ApiKeys):
    """Counts how often it was asked for a key."""

    def __init__(self) -> None:
        self.good: dict[str, GoodKey] = {}
        self.asked = 0
        self.is_away = False

    async def find(self, key_id: str) -> GoodKey | None:
        if self.is_away:
            raise DatabaseAwayError("away")
        self.asked += 1
        return self.good.get(key_id)

    async def touch(self, key_id: str) -> None:
        pass

    async def surrender(self, key_id: str, secret_hash: bytes) -> str | None:
        found = self.good.get(key_id)
        if found is None or found.secret_hash != secret_hash:
            return None
        del self.good[key_id]
        return found.user_id


class FakeRevocations(RecentRevocations):
    """The newest first."""

    def __init__(self) -> None:
        self.found: list[tuple[str, int]] = []
        self.is_away = False

    async def within(self, window_s: float, count_max: int) -> list[tuple[str, int]]:
        if self.is_away:
            raise DatabaseAwayError("away")
        return self.found[:count_max]
