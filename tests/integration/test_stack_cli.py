"""The real ``hfts`` command: one stack for the whole module, in a folder of its own."""

import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import psutil
import pytest
from polling import wait_until

UP_TIMEOUT_S = 200


def hfts(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ops", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=UP_TIMEOUT_S, check=False)


def parts(folder: Path) -> dict[str, dict[str, object]]:
    result = hfts("ps", "--json", "--data-dir", folder)
    assert result.returncode == 0, result.stderr
    return {part["name"]: part for part in json.loads(result.stdout)}


def environment(folder: Path) -> dict[str, str]:
    result = hfts("env", "--data-dir", folder)
    assert result.returncode == 0, result.stderr
    return dict(word.split("=", 1) for word in shlex.split(result.stdout))


def processes_of(folder: Path) -> list[psutil.Process]:
    return [p for p in psutil.process_iter(["cmdline"]) if str(folder) in " ".join(p.info["cmdline"] or [])]


def answers_ok(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=10) as response:  # noqa: S310 (our own address)
            return bool(response.status == 200)
    except OSError:
        return False


@pytest.fixture(scope="module")
def started() -> Iterator[tuple[Path, str]]:
    """The folder, and what the start has printed."""
    folder = Path(tempfile.mkdtemp(prefix="hfts-test-"))
    started = hfts("up", "--detach", "--data-dir", folder, "--partitions", "3")
    try:
        assert started.returncode == 0, started.stderr
        assert "API: ready" in started.stdout
        yield folder, started.stdout
    finally:
        hfts("down", "--data-dir", folder)
        shutil.rmtree(folder)


@pytest.fixture(scope="module")
def folder(started: tuple[Path, str]) -> Path:
    return started[0]


def test_ps_lists_the_real_processes(folder: Path) -> None:
    found = parts(folder)
    assert found.keys() == {"kafka-1", "postgres", "api", "worker-1", "downstream"}
    assert {part["state"] for part in found.values()} == {"running"}
    names = {name: psutil.Process(int(str(part["pid"]))).cmdline() for name, part in found.items()}
    assert names["postgres"][0].endswith("/postgres")
    assert "kafka.Kafka" in names["kafka-1"]
    assert names["worker-1"][-3:] == ["worker", "--agents", "transfers"]
    assert names["downstream"][-3:] == ["worker", "--agents", "notifications,audit,deliveries"]


def test_the_doctor_finds_no_problem(folder: Path) -> None:
    environ = {**os.environ, **environment(folder)}

    def findings() -> dict[str, dict[str, str]]:
        command = [sys.executable, "-m", "ops", "doctor", "--json"]
        result = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60, check=False)
        assert result.returncode == 0, result.stdout + result.stderr
        return {finding["check"]: finding for finding in json.loads(result.stdout)["findings"]}

    wait_until(lambda: findings()["workers"]["verdict"] == "ok", "workers have joined their groups")
    found = findings()
    assert "the API listens on" in found["api-port"]["seen"]
    assert found["admin"]["verdict"] == found["progress"]["verdict"] == "ok"


async def test_env_reaches_the_database(folder: Path) -> None:
    values = environment(folder)
    connection = await asyncpg.connect(
        host=values["POSTGRES_HOST"],
        port=int(values["POSTGRES_PORT"]),
        user=values["POSTGRES_USER"],
        password=values["POSTGRES_PASSWORD"],
        database=values["POSTGRES_DB"],
    )
    try:
        assert await connection.fetchval("select role from users where email = $1", values["ADMIN_EMAIL"]) == "admin"
        assert await connection.fetchval("show fsync") == "on"
    finally:
        await connection.close()


def test_env_reaches_the_api(folder: Path) -> None:
    assert answers_ok(environment(folder)["API_URL"] + "/readyz")


def test_workers_tell_how_they_are_where_the_start_says(started: tuple[Path, str]) -> None:
    for name in ("worker-1", "downstream"):
        [url] = re.findall(rf"{name} +(http://127\.0\.0\.1:\d+)", started[1])
        wait_until(lambda: answers_ok(url + "/readyz"), f"{name} did not become ready")  # noqa: B023 (called at once)


def test_secrets_are_not_in_process_arguments(folder: Path) -> None:
    values = environment(folder)
    lines = [" ".join(process.cmdline()) for process in processes_of(folder)]
    for name in ("POSTGRES_PASSWORD", "SECRET_KEY", "ADMIN_PASSWORD"):
        assert not any(values[name] in line for line in lines)


def test_a_second_up_says_so_in_one_line(folder: Path) -> None:
    before = parts(folder)
    for arguments in (["up"], ["up", "--detach"]):
        result = hfts(*arguments, "--data-dir", folder)
        assert result.returncode == 1
        assert result.stderr == (
            f"hfts: a stack is running in {folder} already. See hfts ps; stop it with hfts down [stack_failed]\n"
        )
    assert parts(folder) == before


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        result = hfts("up", "--detach", "--data-dir", tmp_path / "other", "--api-port", str(port))
    assert result.returncode == 1
    assert result.stderr == (
        f"hfts: port {port} (--api-port) is taken by another program. Stop it, or give another port [stack_failed]\n"
    )
    assert processes_of(tmp_path / "other") == []


@pytest.mark.parametrize("name", ["postgres", "worker-1", "api"])
def test_a_part_that_dies_is_started_again(folder: Path, name: str) -> None:
    before = parts(folder)[name]
    pid = int(str(before["pid"]))
    os.kill(pid, signal.SIGKILL)

    def runs_again() -> bool:
        now = parts(folder)[name]
        return now["state"] == "running" and now["pid"] != pid

    wait_until(runs_again, f"{name} did not come back")
    assert f"{name} was ended by SIGKILL" in (folder / "logs" / "supervisor.log").read_text()
    url = environment(folder)["API_URL"] + "/readyz"
    wait_until(lambda: answers_ok(url), "the API did not become ready again")


def test_down_leaves_no_process_and_keeps_the_data(folder: Path) -> None:
    recorded = [psutil.Process(int(str(part["pid"]))) for part in parts(folder).values()]
    result = hfts("down", "--data-dir", folder)
    assert (result.returncode, result.stdout) == (0, "stopped\n")
    assert not any(process.is_running() for process in recorded)
    assert processes_of(folder) == []
    assert parts(folder) == {}
    assert (folder / "postgres" / "PG_VERSION").exists()
    result = hfts("env", "--data-dir", folder)
    assert (result.returncode, result.stdout) == (1, "")
    assert "no stack is running" in result.stderr
