"""Sessions and attempts in PostgreSQL. Time passes by moving what is stored into the past."""

import asyncio
from collections.abc import AsyncIterator
from hashlib import sha256
from uuid import uuid4

import asyncpg
import pytest

from schemas.settings import Settings
from sinks.directory import sessions as sessions_module
from sinks.directory.attempts import Attempts
from sinks.directory.database import Database
from sinks.directory.sessions import Renewed, Sessions
from sinks.directory.users import Users

KEY, OTHER_KEY, MARK = (bytes([n]) * 32 for n in range(3))
HASHES = [sha256(bytes([n])).digest() for n in range(10)]


@pytest.fixture
async def database(database_settings: Settings) -> AsyncIterator[Database]:
    database = await Database.open(database_settings)
    yield database
    await database.close()


@pytest.fixture
async def user_id(connection: asyncpg.Connection) -> str:
    insert = "insert into users (email, password_hash) values ('ada@example.com', 'old') returning user_id::text"
    return str(await connection.fetchval(insert))


@pytest.fixture
async def session_id(database: Database, user_id: str) -> str:
    return await open_session(Sessions(database), user_id)


async def open_session(sessions: Sessions, user_id: str, ttl_s: int = 60) -> str:
    session_id = str(uuid4())
    assert await sessions.open(session_id, user_id, 0, HASHES[0], ttl_s)
    return session_id


async def test_each_token_is_good_once(database: Database, session_id: str, user_id: str) -> None:
    sessions = Sessions(database)
    assert await sessions.renew(session_id, HASHES[0], HASHES[1]) == Renewed(user_id, "user")
    assert await sessions.renew(session_id, HASHES[1], HASHES[2]) == Renewed(user_id, "user")
    assert await sessions.renew(session_id, HASHES[0], HASHES[3]) is None
    assert await sessions.renew(session_id, HASHES[2], HASHES[4]) is None  # the newest has died with the family
    assert await sessions.renew(str(uuid4()), HASHES[0], HASHES[1]) is None


async def test_of_many_who_show_the_same_token_one_gets_the_next(database: Database, session_id: str) -> None:
    sessions = Sessions(database)
    results = await asyncio.gather(*(sessions.renew(session_id, HASHES[0], hashed) for hashed in HASHES[1:8]))
    assert sum(result is not None for result in results) == 1
    assert (
        await sessions.renew(session_id, next(h for h, r in zip(HASHES[1:], results, strict=False) if r), KEY) is None
    )


@pytest.mark.parametrize(
    "change",
    [
        "update users set status = 'disabled'",
        "update users set session_epoch = session_epoch + 1",
        "update sessions set expires_at = now()",
        "update sessions set revoked_at = now()",
    ],
)
async def test_what_ends_a_session(
    database: Database, session_id: str, connection: asyncpg.Connection, change: str
) -> None:
    await connection.execute(change)
    assert await Sessions(database).renew(session_id, HASHES[0], HASHES[1]) is None
    await connection.execute("update users set status = 'active'")
    assert await Sessions(database).renew(session_id, HASHES[0], HASHES[1]) is None


async def test_a_session_is_renewed_with_the_role_of_now(
    database: Database, session_id: str, connection: asyncpg.Connection, user_id: str
) -> None:
    await connection.execute("update users set role = 'admin'")
    assert await Sessions(database).renew(session_id, HASHES[0], HASHES[1]) == Renewed(user_id, "admin", access_epoch=1)


async def test_revoking_ends_one_session(database: Database, session_id: str, user_id: str) -> None:
    sessions = Sessions(database)
    other = await open_session(sessions, user_id)
    await sessions.revoke(session_id)
    await sessions.revoke(str(uuid4()))
    assert await sessions.renew(session_id, HASHES[0], HASHES[1]) is None
    assert await sessions.renew(other, HASHES[0], HASHES[1]) is not None


async def test_another_password_ends_all_sessions(database: Database, session_id: str, user_id: str) -> None:
    users, sessions = Users(database), Sessions(database)
    assert not await users.change_password(user_id, "not the old one", "new")
    await users.upgrade_hash(user_id, "old", "same, newer hash")
    assert await sessions.renew(session_id, HASHES[0], HASHES[1]) is not None
    assert await users.change_password(user_id, "same, newer hash", "new")
    assert await sessions.renew(session_id, HASHES[1], HASHES[2]) is None
    # A login that was checked just before must not outlive it either.
    assert not await sessions.open(str(uuid4()), user_id, 0, HASHES[0], 60)
    assert await sessions.open(str(uuid4()), user_id, 1, HASHES[0], 60)


async def test_ending_all_sessions(database: Database, session_id: str, user_id: str) -> None:
    assert await Users(database).end_sessions(user_id)
    assert not await Users(database).end_sessions(str(uuid4()))
    assert await Sessions(database).renew(session_id, HASHES[0], HASHES[1]) is None


async def test_opening_sweeps_up_what_has_expired_and_the_oldest(
    database: Database, user_id: str, connection: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions_module, "SESSIONS_OF_USER_MAX", 3)
    sessions = Sessions(database)
    await open_session(sessions, user_id)
    await connection.execute("update sessions set expires_at = now()")
    opened = [await open_session(sessions, user_id) for _ in range(4)]
    rows = await connection.fetch("select session_id::text from sessions order by created_at")
    assert [row["session_id"] for row in rows] == opened[1:]


@pytest.mark.usefixtures("session_id")
async def test_a_token_is_stored_as_a_hash_alone(connection: asyncpg.Connection) -> None:
    row = await connection.fetchrow("select * from sessions")
    assert row is not None
    assert row["token_hash"] == HASHES[0]
    with pytest.raises(asyncpg.CheckViolationError):
        await connection.execute("update sessions set token_hash = 'token'")


async def pass_time(connection: asyncpg.Connection, seconds: float) -> None:
    await connection.execute("update attempts set due_at = due_at - $1 * interval '1 second'", seconds)


async def test_so_many_attempts_at_once_and_then_at_a_steady_rate(
    database: Database, connection: asyncpg.Connection
) -> None:
    attempts = Attempts(database)

    async def take(key: bytes = KEY) -> float | None:
        return await attempts.take(key, interval_s=3_000.0, count_max=3)

    assert [await take() for _ in range(3)] == [None, None, None]
    wait_s = await take()
    assert wait_s is not None
    assert 0 < wait_s <= 3_000
    assert await take(OTHER_KEY) is None
    await pass_time(connection, wait_s)
    assert await take() is None
    assert await take() is not None
    await pass_time(connection, 100_000)
    assert [await take() is None for _ in range(4)] == [True, True, True, False]


async def test_no_more_get_through_at_the_same_time(database: Database) -> None:
    attempts = Attempts(database)
    waits = await asyncio.gather(*(attempts.take(KEY, interval_s=3_000.0, count_max=5) for _ in range(20)))
    assert sum(wait is None for wait in waits) == 5


async def test_a_success_forgives(database: Database, connection: asyncpg.Connection) -> None:
    attempts = Attempts(database)
    for key in (KEY, OTHER_KEY):
        for _ in range(3):
            await attempts.take(key, interval_s=3_000.0, count_max=3)
    assert not await attempts.is_marked(MARK)
    await attempts.forgive([KEY], given_back=OTHER_KEY, interval_s=3_000.0, mark=MARK, mark_ttl_s=60.0)
    assert await attempts.is_marked(MARK)
    for key, count in ((KEY, 3), (OTHER_KEY, 1)):
        waits = [await attempts.take(key, interval_s=3_000.0, count_max=3) for _ in range(count + 1)]
        assert [wait is None for wait in waits] == [True] * count + [False]
    await pass_time(connection, 60)
    assert not await attempts.is_marked(MARK)


async def test_empty_buckets_are_swept_up(database: Database, connection: asyncpg.Connection) -> None:
    attempts = Attempts(database)
    for number in range(5):
        await attempts.take(bytes([number]) * 32, interval_s=10.0, count_max=3)
    await pass_time(connection, 10)
    await attempts.take(b"n" * 32, interval_s=10.0, count_max=3)
    assert await connection.fetchval("select count(*) from attempts") == 1
