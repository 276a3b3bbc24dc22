"""Checks of this machine and of the packages of this Python."""

from collections.abc import Sequence

from ingest_api.connection import CONNECTIONS_MAX, DESCRIPTORS_ELSE
from ops.doctor.check import Area, Check, together
from ops.doctor.facts.machine import Disk, Machine, Package
from ops.doctor.facts.port import Port
from ops.doctor.finding import Finding, not_checked, ok, problem, warning

MIB = 1024 * 1024

MEMORY_FREE_BYTES_MIN = 512 * MIB
"""A worker takes some 150 MB, the API as much; docker-compose.yml bounds each to this."""

DISK_FREE_BYTES_MIN = 1024 * MIB

OPEN_FILES_MIN = DESCRIPTORS_ELSE
"""Below this not even a worker gets along."""


def judge_packages(found: tuple[Sequence[Package], Machine]) -> list[Finding]:
    """Each in a version that we work with, and none in another's place."""
    packages, machine = found
    findings = [_misfit(package) for package in packages if not package.fits]
    findings += [
        problem(
            f"{other} is installed beside {ours}",
            "Both install modules of the same name, and whichever came last is there. The other one may not work.",
            "Take both out and put ours back:",
            f"pip uninstall --yes {other} {ours} && pip install {ours}",
        )
        for ours, other in machine.shadows
    ]
    return findings or [ok(f"{len(packages) - 1} packages in versions that fit, on Python {packages[0].installed}")]


def _misfit(package: Package) -> Finding:
    if package.name == "python":
        return problem(
            f"this is Python {package.installed}, and {package.wanted} is needed",
            "The program uses what older versions do not have.",
            "Make the environment anew with a Python that fits:",
            "rm -r .venv && make PYTHON=python3.12 setup",
        )
    there = f"{package.name} {package.installed}" if package.installed else f"no {package.name}"
    return problem(
        f"{there} is installed, and {package.name}{package.wanted} is needed",
        "What was not tested together may fail at any point.",
        "Install what fits, or in a folder of sources all pinned versions with `make setup`:",
        f"pip install '{package.name}{package.wanted}'",
    )


def judge_open_files(machine: Machine) -> list[Finding]:
    """Enough descriptors for the API's connections. The API raises the soft limit to the hard one by itself."""
    most = machine.open_files_max
    remedy = "Raise the hard limit: LimitNOFILE= in a systemd unit, `ulimits: nofile` with Docker, else:"
    command = f"ulimit -Hn {CONNECTIONS_MAX + DESCRIPTORS_ELSE}"
    if most <= OPEN_FILES_MIN:
        return [
            problem(f"a process may open {most} files and sockets", "The API can serve nobody.", remedy, command),
        ]
    if most < CONNECTIONS_MAX + DESCRIPTORS_ELSE:
        return [
            warning(
                f"a process may open {most:,} files and sockets",
                f"An API process serves {most - DESCRIPTORS_ELSE:,} connections at once instead of "
                f"{CONNECTIONS_MAX:,}.",
                remedy,
                command,
            )
        ]
    return [ok("enough for all connections that an API process serves")]


def judge_memory(machine: Machine) -> list[Finding]:
    """Room for one more process of ours."""
    free = machine.memory_free_bytes
    if free is None:
        return [not_checked("this system does not tell how much memory is free")]
    if free < MEMORY_FREE_BYTES_MIN:
        return [
            warning(
                f"{free // MIB:,} MiB of memory are free",
                "A process that gets none is killed. Nothing is lost by that, but nothing goes on either.",
                f"Leave {MEMORY_FREE_BYTES_MIN // MIB} MiB to each process: stop what is not needed, or raise the "
                "container's limit.",
            )
        ]
    return [ok(f"{free // MIB:,} MiB are free")]


def judge_disks(machine: Machine) -> list[Finding]:
    """Room where this machine writes. Those of the servers are beyond our sight."""
    full = [disk for disk in machine.disks if disk.free_bytes < DISK_FREE_BYTES_MIN]
    return [_full(disk) for disk in full] or [
        ok(", ".join(f"{disk.free_bytes // MIB:,} MiB are free in {disk.folder}" for disk in machine.disks))
    ]


def _full(disk: Disk) -> Finding:
    return warning(
        f"{disk.free_bytes // MIB:,} MiB are free in {disk.folder}",
        "Servers that cannot write stop confirming, and the API answers 503 until they can.",
        "Make room. What takes it:",
        f"du --one-file-system --human-readable --max-depth=1 {disk.folder} | sort --human-numeric-sort | tail",
    )


def judge_port(port: Port) -> list[Finding]:
    """Free for the API, or taken by an API of ours."""
    address = f"{port.host}:{port.port}"
    if port.fault is None:
        return [ok(f"{address} is free for the API")]
    if port.is_ours:
        return [ok(f"the API listens on {address}")]
    return [
        problem(
            f"the API cannot listen on {address}: {port.fault}",
            "It ends as soon as it is started.",
            "Stop what uses it, or set API_HOST and API_PORT. Who it is:",
            f"ss --listening --tcp --processes 'sport = :{port.port}'",
        )
    ]


AREA = Area(
    "Machine",
    (
        Check(
            "packages",
            "a Python or a package in a version that does not fit, such as `click` 8.4, or `passlib` in place of "
            "`libpass`",
            "`make setup`, or `pip install` what it names",
            lambda facts: together(facts.machine.packages, facts.machine),
            judge_packages,
        ),
        Check(
            "open-files",
            "a limit of open files below what the API's connections need",
            "Raise the hard limit (`LimitNOFILE=`, `ulimits`)",
            lambda facts: facts.machine,
            judge_open_files,
        ),
        Check(
            "memory",
            "little free memory, or a container's limit that is nearly reached",
            "Leave 512 MiB to each process",
            lambda facts: facts.machine,
            judge_memory,
        ),
        Check(
            "disk",
            "a disk of this machine that is nearly full",
            "Make room",
            lambda facts: facts.machine,
            judge_disks,
        ),
        Check(
            "api-port",
            "an API port that is taken by another program, or an address that this machine does not have",
            "Stop what uses it, or set `API_PORT` and `API_HOST`",
            lambda facts: facts.port,
            judge_port,
        ),
    ),
)
