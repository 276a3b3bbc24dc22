"""The configuration of the embedded PostgreSQL, as pure values."""

MIB = 1024 * 1024
GIB = 1024 * MIB

HBA = """\
# Only by TCP on the loopback interface, and only with a password; for base backups too.
host all all 127.0.0.1/32 scram-sha-256
host replication all 127.0.0.1/32 scram-sha-256
"""


def server_settings(*, port: int, memory_bytes: int, disk_free_bytes: int, small: bool) -> dict[str, str]:
    """``postgresql.conf`` by name. What is committed is on disk: fsync and synchronous_commit stay on, always.

    ``small`` is for many short-lived servers beside each other, as in tests.
    """
    shared_bytes = 64 * MIB if small else max(64 * MIB, min(GIB, memory_bytes // 8))
    wal_bytes = 256 * MIB if small else max(256 * MIB, min(8 * GIB, disk_free_bytes // 4))
    return {
        "listen_addresses": "127.0.0.1",
        "port": str(port),
        "unix_socket_directories": "",
        "password_encryption": "scram-sha-256",
        "max_connections": "300",
        "fsync": "on",
        "synchronous_commit": "on",
        "shared_buffers": f"{shared_bytes // MIB}MB",
        "max_wal_size": f"{wal_bytes // MIB}MB",
        # A segment that is not kept is made again later, 16 MiB of zeros on disk while a commit waits.
        "min_wal_size": f"{wal_bytes // 8 // MIB}MB",
        "checkpoint_timeout": "15min",
        "wal_compression": "on",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "log_line_prefix": "%m [%p] %q%u@%d ",
    }


def render(settings: dict[str, str]) -> str:
    """The text of ``postgresql.conf``. A file local.conf beside it may override it."""
    lines = ["{} = '{}'\n".format(name, value.replace("'", "''")) for name, value in settings.items()]
    return (
        "# Written at every start. Put changes into local.conf.\n" + "".join(lines) + "include_if_exists 'local.conf'\n"
    )


def memory_limit_bytes(cgroup_text: str | None, total_bytes: int) -> int:
    """What the machine has, or what the container may use where that is less. ``cgroup_text``: its memory.max."""
    if cgroup_text is None or not cgroup_text.strip().isdigit():
        return total_bytes
    return min(total_bytes, int(cgroup_text))
