"""Checks of the PostgreSQL server."""

from ops.doctor.check import Area, Check
from ops.doctor.facts.database import DatabaseDoor, Server
from ops.doctor.finding import Finding, ok, problem, warning
from sinks.directory.database import CONNECTIONS_MAX

VERSION_MIN = 15

PROCESSES = {"an API": CONNECTIONS_MAX + 1, "a worker": 2, "one for what follows": 2, "a command": 1}
"""How many connections each process of a small set-up takes: its pools, and in the API the reader of the lag."""


def judge_door(door: DatabaseDoor) -> list[Finding]:
    """PostgreSQL lets us in."""
    settings = door.settings
    if door.fault is None:
        where = f"{settings.postgres_host}:{settings.postgres_port}"
        return [ok(f"{where} lets {settings.postgres_user} into {settings.postgres_db}")]
    return [problem(door.fault, "Nothing is applied, and nobody can log in.", door.remedy, door.command)]


def judge_version(server: Server) -> list[Finding]:
    """New enough."""
    if server.version >= VERSION_MIN * 10_000:
        return [ok(f"PostgreSQL {server.version_text}")]
    return [
        problem(
            f"this is PostgreSQL {server.version_text}",
            f"Statements of ours need what {VERSION_MIN} brought; some would fail in the middle of the work.",
            f"Move the database to PostgreSQL {VERSION_MIN} or newer with pg_upgrade, or pg_dump and pg_restore.",
        )
    ]


def judge_durability(server: Server) -> list[Finding]:
    """What is committed stays, whatever the machine does."""
    findings = [
        problem(
            f"{name} is off",
            "After a power cut the database can lack what it has confirmed, or be broken. Then outcomes stand on the "
            "topics of which the ledger knows nothing.",
            "Switch it on, as a superuser in psql:",
            f"alter system set {name} = on; select pg_reload_conf()",
        )
        for name in ("fsync", "full_page_writes")
        if server.durability[name] != "on"
    ]
    commit = server.durability["synchronous_commit"]
    if commit == "off":
        findings.append(
            problem(
                "synchronous_commit is off",
                "A commit is confirmed before it is on disk. After a crash of PostgreSQL the last ones are gone, and "
                "their outcomes are told already.",
                "Switch it on, as a superuser in psql. If it stays off, the database or the role has a setting of its "
                "own, which \\drds shows:",
                "alter system set synchronous_commit = on; select pg_reload_conf()",
            )
        )
    return findings or [ok(f"fsync and full_page_writes are on, synchronous_commit is {commit}")]


def judge_writable(server: Server) -> list[Finding]:
    """It takes writes."""
    if server.in_recovery:
        return [
            problem(
                "this server is a standby: it can be read only",
                "Nothing can be applied, and nobody can register.",
                "Let POSTGRES_HOST name the primary. Only if that one is gone for good, promote this one, in psql:",
                "select pg_promote()",
            )
        ]
    if server.is_read_only:
        return [
            problem(
                "default_transaction_read_only is on",
                "Nothing can be applied, and nobody can register.",
                "Find out why somebody has set it: a full disk, a move? \\drds in psql shows whether it was set for "
                "the "
                "database or the role; for the server it is taken back by:",
                "alter system reset default_transaction_read_only; select pg_reload_conf()",
            )
        ]
    return [ok("it can be written to")]


def judge_encoding(server: Server) -> list[Finding]:
    """It takes any text."""
    if server.encoding == "UTF8":
        return [ok("UTF8")]
    return [
        problem(
            f"the database's encoding is {server.encoding}",
            "Requests with a character that it does not have become dead letters (`unprocessable`).",
            "The encoding of a database cannot be changed. Make another, apply the migrations and move the data:",
            "create database hfts_utf8 encoding 'UTF8' template template0",
        )
    ]


def judge_connections(server: Server) -> list[Finding]:
    """Enough for a small set-up, besides those that others hold."""
    needed = sum(PROCESSES.values())
    others = max(0, server.connections - server.connections_ours)
    most = min(server.connections_max, server.connections_limit)
    left = min(server.connections_max - others, server.connections_limit)
    if left >= needed:
        return [ok(f"{left} are there for us")]
    listed = ", ".join(f"{name} {count}" for name, count in PROCESSES.items())
    remedy = (
        "Find out who holds them (pg_stat_activity), mind limits of the role and the database, or raise the server's "
        "in psql and start it again:"
    )
    command = "alter system set max_connections = 200"
    if most < needed:
        return [
            problem(
                f"PostgreSQL gives us {most} connections at most",
                f"At least {needed} are needed: {listed}. Processes that get none wait, and the API answers 503.",
                remedy,
                command,
            )
        ]
    return [
        warning(
            f"others hold {others} of PostgreSQL's {server.connections_max} connections",
            f"The {left} that are left are fewer than a small set-up needs, {needed}: {listed}.",
            remedy,
            command,
        )
    ]


AREA = Area(
    "PostgreSQL",
    (
        Check(
            "postgres-access",
            "PostgreSQL that is away, at another address, behind a pooler, or refuses user, password or database",
            "Start it, or set `POSTGRES_HOST`, `POSTGRES_PORT`, `POSTGRES_USER`, `POSTGRES_PASSWORD`, `POSTGRES_DB`",
            lambda facts: facts.database.door,
            judge_door,
        ),
        Check(
            "postgres-version",
            "PostgreSQL before 15",
            "Move to 15 or newer",
            lambda facts: facts.database.server,
            judge_version,
        ),
        Check(
            "postgres-durability",
            "`fsync`, `full_page_writes` or `synchronous_commit` switched off",
            "`alter system set … = on`",
            lambda facts: facts.database.server,
            judge_durability,
        ),
        Check(
            "postgres-writable",
            "a standby, or a database that is set to read only",
            "Name the primary; reset `default_transaction_read_only`",
            lambda facts: facts.database.server,
            judge_writable,
        ),
        Check(
            "postgres-encoding",
            "a database in another encoding than UTF8",
            "Make another one",
            lambda facts: facts.database.server,
            judge_encoding,
        ),
        Check(
            "postgres-connections",
            "fewer connections than the pools of the API and the workers take",
            "Raise `max_connections`, or the limit of the role",
            lambda facts: facts.database.server,
            judge_connections,
        ),
    ),
)
