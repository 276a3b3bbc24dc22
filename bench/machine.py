"""What the figures were measured on and with."""

import os
import platform
import re
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil

from ops.embedded.jars import kafka_jars
from schemas.settings import Settings
from sinks.postgres.pool import connect

PACKAGES = ("aiokafka", "faust-streaming", "asyncpg", "msgspec", "fastapi", "uvicorn", "sqlalchemy", "celery", "redis")
GIB = 1024**3

_MODEL = re.compile(r"^model name\s*:\s*(.+)$", re.MULTILINE)
_CPUINFO = Path("/proc/cpuinfo")


async def machine(settings: Settings) -> dict[str, str]:
    """Processor, memory, system and versions, by what they are called."""
    database = await connect(settings)
    try:
        postgres = str(await database.fetchval("show server_version"))
    finally:
        await database.close()
    return {
        "Processors": f"{os.cpu_count()} of {_processor()}, shared by servers, workers and clients",
        "Memory": f"{psutil.virtual_memory().total / GIB:.0f} GiB",
        "System": f"{platform.system()} {platform.release().split('-')[0]}",
        "Python": platform.python_version(),
        "PostgreSQL": f"{postgres}, fsync and synchronous_commit on, jit off",
        "Kafka": f"{_kafka()}, one broker",
        "Packages": ", ".join(f"{name} {found}" for name in PACKAGES if (found := _version(name))),
    }


def _kafka() -> str:
    """The broker's own jar is kafka_2.13 or of whichever Scala."""
    return next(jar.version for jar in kafka_jars() if jar.artifact.startswith("kafka_"))


def _processor() -> str:
    found = _MODEL.search(_CPUINFO.read_text()) if _CPUINFO.exists() else None
    return found[1].strip() if found else platform.processor() or platform.machine()


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
