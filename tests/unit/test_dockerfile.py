"""deploy/Dockerfile and .dockerignore, as far as they can be checked without a container engine."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "deploy" / "Dockerfile").read_text().replace("\\\n", " ")
LINES = [line.strip() for line in TEXT.splitlines() if line.strip() and not line.startswith("#")]
PINNED = re.compile(r"([a-z0-9-]+==\S+)")


def arguments(instruction: str) -> list[str]:
    return [line.split(maxsplit=1)[1] for line in LINES if line.split()[0] == instruction]


def copied_from_context() -> list[str]:
    return [source for copy in arguments("COPY") if "--from=" not in copy for source in copy.split()[:-1]]


def test_base_is_pinned() -> None:
    images = {line.split()[0] for line in arguments("FROM")}
    assert len(images) == 1
    assert re.fullmatch(r"python:3\.\d+\.\d+-slim-[a-z]+", images.pop())


def test_runs_as_nobody_special() -> None:
    assert arguments("USER") == ["10001:10001"]
    last_stage = TEXT[TEXT.rindex("\nFROM") :]
    assert "--uid 10001" in last_stage
    assert last_stage.index("USER") > last_stage.rindex("RUN")


def test_starts_the_command() -> None:
    assert arguments("ENTRYPOINT") == ['["hfts"]']


def test_everything_is_installed_by_hash() -> None:
    installs = re.findall(r"pip (?:--python \S+ )?install (.+?)(?:&&|$)", TEXT, re.MULTILINE)
    assert len(installs) == 3
    assert all("--require-hashes" in install or "--no-index" in install for install in installs)


def test_holds_no_secret() -> None:
    assert arguments("ARG") == []
    assert not re.search(r"PASSWORD|SECRET|TOKEN", TEXT)


def test_copied_files_exist_and_reach_the_builder() -> None:
    let_in = re.findall(r"^!(.+)$", (ROOT / ".dockerignore").read_text(), re.MULTILINE)
    assert set(copied_from_context()) == set(let_in)
    assert all((ROOT / source).exists() for source in let_in)


def test_build_tools_are_those_of_development() -> None:
    development = PINNED.findall((ROOT / "requirements-dev.lock").read_text())
    build = PINNED.findall((ROOT / "deploy" / "build.lock").read_text())
    assert build
    assert set(build) <= set(development)
