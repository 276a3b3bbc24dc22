"""Checks of the tables that the migrations make."""

from collections import defaultdict

from ops.doctor.check import Area, Check
from ops.doctor.facts.database import Migrations, Rights
from ops.doctor.finding import Finding, ok, problem, warning

READ_ONLY = frozenset({"insert", "update", "delete"})
NOT_NEEDED = {
    "transfers": frozenset({"update", "delete"}),
    "schema_migrations": READ_ONLY,
    "reconcile_runs": READ_ONLY,
}
"""What the documented role for the API and the workers goes without (docs/security.md)."""


def judge_migrations(migrations: Migrations) -> list[Finding]:
    """All are applied, and no others."""
    if migrations.fault is not None:
        what, _, remedy = migrations.fault.partition(": ")
        why = "Program and tables do not fit together: neither API nor workers go on."
        return [problem(what, why, f"{remedy.capitalize() or 'Install the program anew'}.")]
    if migrations.missing:
        return [
            problem(
                f"migrations are missing: {', '.join(migrations.missing)}",
                "Workers wait for them, and the API is not ready.",
                "Apply them as the user who owns the schema:",
                "hfts migrate",
            )
        ]
    if migrations.missing_post:
        return [
            warning(
                f"migrations of a release's second step are missing: {', '.join(migrations.missing_post)}",
                "They take away what only an older version needs, and later migrations wait for them.",
                "When no process of the older version is left, as the user who owns the schema:",
                "hfts migrate up --step post",
            )
        ]
    return [ok("all are applied")]


def judge_rights(rights: Rights) -> list[Finding]:
    """The role may do what the API and the workers do."""
    if not rights.may_use:
        return [
            problem(
                f"{rights.role} may not use the schema {rights.schema}",
                "Its tables look as if they were not there.",
                "As the owner in psql:",
                f"grant usage on schema {rights.schema} to {rights.role}",
            )
        ]
    lacking: defaultdict[str, list[str]] = defaultdict(list)
    for right in rights.missing:
        if right.privilege not in NOT_NEEDED.get(right.table, frozenset()):
            lacking[right.table].append(right.privilege)
    if not lacking:
        return [ok(f"{rights.role} may do what the API and the workers do")]
    listed = "; ".join(f"{table}: {', '.join(privileges)}" for table, privileges in lacking.items())
    grants = "; ".join(
        f"grant {', '.join(privileges)} on {table} to {rights.role}" for table, privileges in lacking.items()
    )
    return [
        problem(
            f"{rights.role} may not do everything it must ({listed})",
            "The API answers 500, and workers end, as soon as they come to it.",
            "As the owner in psql; docs/security.md has the whole of it:",
            grants,
        )
    ]


def judge_append_only(is_append_only: bool) -> list[Finding]:  # noqa: FBT001 (the fact itself)
    """The trigger is there and switched on."""
    if is_append_only:
        return [ok("the database refuses to change or delete transfers")]
    return [
        problem(
            "the trigger transfers_append_only is gone or switched off",
            "The history can be changed without a trace in the database.",
            "As the owner in psql; if it is gone, make it anew as migration 0001 does:",
            "alter table transfers enable trigger transfers_append_only",
        )
    ]


def judge_admins(admins: int) -> list[Finding]:
    """Somebody can bring money in."""
    if admins:
        return [ok("there is one" if admins == 1 else f"there are {admins}")]
    return [
        warning(
            "there is no active admin",
            "Nobody can bring money in over HTTP (`POST /v1/deposits`), so every wallet stays empty.",
            "Set ADMIN_EMAIL and ADMIN_PASSWORD, and then:",
            "hfts create-admin",
        )
    ]


AREA = Area(
    "Ledger",
    (
        Check(
            "migrations",
            "migrations that are missing, or a database of another version of the program",
            "`hfts migrate`",
            lambda facts: facts.database.migrations,
            judge_migrations,
        ),
        Check(
            "table-rights",
            "rights on tables that the role lacks",
            "`grant` as in docs/security.md",
            lambda facts: facts.database.rights,
            judge_rights,
        ),
        Check(
            "append-only",
            "the trigger that keeps `transfers` append-only switched off",
            "`alter table transfers enable trigger transfers_append_only`",
            lambda facts: facts.database.is_append_only,
            judge_append_only,
        ),
        Check(
            "admin",
            "no admin, so nobody who can bring money in",
            "`hfts create-admin`",
            lambda facts: facts.database.admins,
            judge_admins,
        ),
    ),
)
