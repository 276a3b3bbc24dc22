"""The machine we are on, and the packages of its Python."""

import resource
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import platformdirs
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from ops.doctor.finding import Unknown

OURS = "hfts"
_SHADOWED = {"libpass": "passlib"}
"""Packages, and those that install other modules under the same name: whichever came last is there."""

_MEMINFO = Path("/proc/meminfo")
_CGROUP = Path("/sys/fs/cgroup")


@dataclass(frozen=True, slots=True)
class Package:
    """A package that we need, in which versions, and the version that is there, None if none is."""

    name: str
    wanted: str
    installed: str | None
    fits: bool


@dataclass(frozen=True, slots=True)
class Disk:
    """A folder that we or the embedded servers write to, and the bytes left for it."""

    folder: Path
    free_bytes: int


@dataclass(frozen=True, slots=True)
class Machine:
    """``packages`` has the Python, too; ``shadows`` pairs of packages that stand in each other's way."""

    packages: Sequence[Package] | Unknown
    shadows: Sequence[tuple[str, str]]
    open_files_max: int
    memory_free_bytes: int | None
    disks: Sequence[Disk]


def read_machine() -> Machine:
    """As it is now."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return Machine(
        packages=_packages(),
        shadows=[pair for pair in _SHADOWED.items() if _installed(pair[1]) is not None],
        open_files_max=sys.maxsize if hard == resource.RLIM_INFINITY else hard,
        memory_free_bytes=free_memory_bytes(
            _text(_MEMINFO), _text(_CGROUP / "memory.max"), _text(_CGROUP / "memory.current")
        ),
        disks=list(_disks()),
    )


def free_memory_bytes(meminfo: str | None, limit: str | None, used: str | None) -> int | None:
    """What may still be used, by /proc/meminfo and, within a container, by its memory.max and memory.current."""
    available = None
    for line in (meminfo or "").splitlines():
        if line.startswith("MemAvailable:"):
            available = int(line.split()[1]) * 1024
    if limit is None or used is None or not limit.strip().isdigit():
        return available
    left = max(0, int(limit) - int(used))
    return left if available is None else min(available, left)


def _packages() -> Sequence[Package] | Unknown:
    try:
        distribution = metadata.distribution(OURS)
    except metadata.PackageNotFoundError:
        return Unknown("hfts runs from a folder of sources that is not installed")
    python = ".".join(map(str, sys.version_info[:3]))
    wanted = distribution.metadata["Requires-Python"]
    found = [Package("python", wanted, python, SpecifierSet(wanted).contains(python, prereleases=True))]
    for text in distribution.requires or ():
        requirement = Requirement(text)
        version = _installed(requirement.name)
        is_extra = requirement.marker is not None and not requirement.marker.evaluate({"extra": ""})
        if is_extra and version is None:
            continue  # of a part that was left out
        fits = version is not None and requirement.specifier.contains(version, prereleases=True)
        found.append(Package(requirement.name, str(requirement.specifier), version, fits))
    return found


def _installed(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _disks() -> Iterator[Disk]:
    for folder in (Path(tempfile.gettempdir()), platformdirs.user_data_path(OURS)):  # the latter is that of `hfts up`
        if folder.exists():
            yield Disk(folder, shutil.disk_usage(folder).free)


def _text(path: Path) -> str | None:
    try:
        return path.read_text()
    except OSError:
        return None
