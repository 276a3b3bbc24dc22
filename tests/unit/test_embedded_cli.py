import importlib
import importlib.util
import subprocess
import sys
from importlib.machinery import ModuleSpec

import pytest
from pydantic import ValidationError
from typer.testing import CliRunner

import ops.embedded
from ops.cli import build_app
from ops.commands.worker import worker_command
from ops.configuration import explain
from ops.errors import CommandError
from schemas.settings import Settings


def test_help_lists_every_command() -> None:
    result = CliRunner().invoke(build_app(), ["--help"])
    assert result.exit_code == 0
    for name in ("up", "down", "env", "ps", "migrate", "topics", "create-admin", "api", "worker", "config"):
        assert f" {name} " in result.output


def test_help_imports_nothing_slow() -> None:
    script = "import sys; import ops.cli; ops.cli.build_app(); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    assert not {"aiokafka", "asyncpg", "faust", "fastapi", "pydantic", "uvloop", "jgo"} & set(loaded)


def test_each_wrong_setting_is_one_line_without_its_value() -> None:
    with pytest.raises(ValidationError) as caught:
        Settings(_env_file=None, secret_key="too short", topic_partitions=0, postgres_password="p")
    lines = explain(caught.value).splitlines()
    assert lines[0].startswith("2 settings are wrong.")
    assert [line.split(":")[0].strip() for line in lines[1:]] == ["TOPIC_PARTITIONS", "SECRET_KEY"]
    assert "too short" not in "".join(lines[1:])


def test_an_unknown_agent_is_named() -> None:
    with pytest.raises(CommandError, match="no agent is named 'payments'"):
        worker_command("transfers,payments")


def test_without_the_extra_the_embedded_stack_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    find_spec = importlib.util.find_spec

    def without_jgo(name: str, package: str | None = None) -> ModuleSpec | None:
        return None if name == "jgo" else find_spec(name, package)

    monkeypatch.setattr(importlib.util, "find_spec", without_jgo)
    with pytest.raises(CommandError, match=r"pip install 'hfts\[embedded\]'"):
        importlib.reload(ops.embedded)
    monkeypatch.undo()
    importlib.reload(ops.embedded)
