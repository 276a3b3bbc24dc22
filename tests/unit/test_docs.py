"""The documentation: links and paths lead somewhere, code blocks are well-formed, tables agree with the program."""

import itertools
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic_core import PydanticUndefined
from typer.main import get_command

from ops.cli import build_app
from schemas.codes import DeadLetterCause
from schemas.settings import Settings
from schemas.topics import EVERY_TOPIC

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "deploy").rglob("*.md")])
README = (ROOT / "README.md").read_text()

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)#\s]+)")
ANCHOR = re.compile(r"\]\(([^)#\s:]*)#([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
COMMAND = re.compile(r"`hfts ([a-z -]+)`")
# A word in backquotes that names a file or folder of the repository; NNNN and the like stand for something.
QUOTED_PATH = re.compile(r"`([a-z_.][\w.-]*(?:/[\w.-]+)*/?)`")
FOLDERS = {
    *(
        "schemas",
        "sinks",
        "streams",
        "ingest_api",
        "hfts_client",
        "ops",
        "bench",
        "tests",
        "examples",
        "deploy",
        "docs",
        ".ci",
    )
}
# Made by the user or by `make setup`.
NOT_IN_THE_REPOSITORY = {".env", ".venv", ".venv/bin"}


def prose(page: Path) -> str:
    return FENCE.sub("", page.read_text())


def blocks(language: str) -> list[str]:
    found = itertools.chain.from_iterable(FENCE.findall(page.read_text()) for page in PAGES)
    return [code for name, code in found if name == language]


def is_path(word: str) -> bool:
    first = word.split("/", maxsplit=1)[0]
    return (first in FOLDERS and "/" in word) or (word.startswith(".") and len(word) > 1)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    for target in LINK.findall(prose(page)):
        assert target.startswith("https://") or (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_anchors_are_headings(page: Path) -> None:
    for target, anchor in ANCHOR.findall(prose(page)):
        headings = HEADING.findall(prose(page.parent / target if target else page))
        assert anchor in {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_paths_exist(page: Path) -> None:
    for word in QUOTED_PATH.findall(prose(page)):
        if is_path(word) and word not in NOT_IN_THE_REPOSITORY and "NNNN" not in word:
            assert (ROOT / word).exists(), word


@pytest.mark.parametrize("code", blocks("python"))
def test_python_is_python(code: str) -> None:
    compile(code, "README.md", "exec")


@pytest.mark.parametrize("code", [*blocks("bash"), *blocks("sh")])
def test_shell_is_shell(code: str) -> None:
    subprocess.run(["/usr/bin/env", "bash", "-n"], input=code, text=True, check=True)


def test_every_block_has_a_known_language() -> None:
    names = {name for page in PAGES for name, _ in FENCE.findall(page.read_text())}
    assert names <= {"", "sh", "bash", "python", "mermaid", "sql"}


def test_configuration_table_is_the_settings() -> None:
    rows = re.findall(r"^\| `([A-Z_]+)` \| (.*?) ?\| (.*) \|$", README, re.MULTILINE)
    expected = []
    for name, field in Settings.model_fields.items():
        default = field.default
        if default is PydanticUndefined:
            shown = "**needed**"
        elif default in (None, ""):
            shown = ""
        else:
            shown = f"`{str(default).lower() if isinstance(default, bool) else default}`"
        expected.append((name.upper(), shown, field.description))
    assert rows == expected


def test_command_table_is_the_command_line() -> None:
    table = README.split("\n## Commands\n")[1].split("\n## ")[0]
    named = {
        command for row in re.findall(r"^\| (`hfts .*?) \|", table, re.MULTILINE) for command in COMMAND.findall(row)
    }
    assert named == set(commands_of(get_command(build_app())))


def commands_of(command: Any, path: str = "") -> Iterator[str]:
    """Every command that does something, as it is typed after `hfts`."""
    if hasattr(command, "commands"):  # a group
        if command.invoke_without_command:
            yield path.strip()
        for name, child in command.commands.items():
            yield from commands_of(child, f"{path} {name}")
    else:
        yield path.strip()


def test_architecture_names_every_topic() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text()
    assert re.findall(r"^\| `([a-z.-]+)` \|", text, re.MULTILINE) == [topic.name for topic in EVERY_TOPIC]
    assert set(re.findall(r"\(`([a-z_]+)`\)", text)) <= {str(cause) for cause in DeadLetterCause}
