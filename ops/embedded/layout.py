"""What is where in a stack's folder, and what it remembers between starts."""

import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import platformdirs

from ops.embedded.files import read_json, write_json
from ops.embedded.kafka_config import Listener, Node
from ops.embedded.plan import Plan, StackOptions, make_plan


def default_folder() -> Path:
    """The folder used where none is named."""
    return platformdirs.user_data_path("hfts")


@dataclass(frozen=True, slots=True)
class Secrets:
    """Generated once for each folder."""

    postgres_password: str
    superuser_password: str
    secret_key: str
    admin_password: str


@dataclass(frozen=True, slots=True)
class Layout:
    """Paths below the stack's folder."""

    folder: Path

    @property
    def logs(self) -> Path:
        """One file for each part."""
        return self.folder / "logs"

    @property
    def postgres(self) -> Path:
        """PostgreSQL's data."""
        return self.folder / "postgres"

    @property
    def lock(self) -> Path:
        """Locked as long as the stack runs."""
        return self.folder / "lock"

    @property
    def state(self) -> Path:
        """The processes as they are now."""
        return self.folder / "state.json"

    @property
    def plan(self) -> Path:
        """The last start's Plan."""
        return self.folder / "stack.json"

    @property
    def secrets(self) -> Path:
        """The Secrets, readable by the owner alone."""
        return self.folder / "secrets.json"

    def read_secrets(self) -> Secrets | None:
        """The folder's secrets, if it has any."""
        found = read_json(self.secrets)
        return Secrets(**found) if found else None

    def read_plan(self) -> Plan | None:
        """The plan of the last start, if there was one."""
        found = read_json(self.plan)
        if not found:
            return None
        return Plan(**{**found, "nodes": [_node(**node) for node in found["nodes"]]})

    def ensure_secrets(self) -> Secrets:
        """The folder's secrets, made at its first start."""
        found = self.read_secrets()
        if found is None:
            found = Secrets(*(secrets.token_urlsafe(32) for _ in range(4)))
            write_json(self.secrets, asdict(found))
        return found

    def settle_plan(self, options: StackOptions) -> Plan:
        """The plan for this start, written down. Raises StackError for options that do not fit, and taken ports."""
        plan = make_plan(options, self.read_plan())
        write_json(self.plan, asdict(plan))
        return plan


def _node(listeners: Sequence[dict[str, Any]] = (), **rest: Any) -> Node:
    return Node(**rest, listeners=tuple(Listener(**listener) for listener in listeners))
