import pytest
from typer.testing import CliRunner

from ops.cli import build_app


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["replay"], "--all"),
        (["replay", "0:1", "--all"], "only one of the three"),
        (["replay", "--all", "--cause", "wrong_key"], "only one of the three"),
        (["replay", "x"], "PARTITION:OFFSET"),
        (["list", "--cause", "x"], "there is no cause"),
        (["list", "--since", "noon"], "RFC 3339"),
        (["list", "--state", "x"], "--state is open"),
        (["discard", "0:1"], "--reason"),
    ],
)
def test_a_mistake_on_the_command_line_has_exit_status_2(arguments: list[str], message: str) -> None:
    result = CliRunner().invoke(build_app(), ["dlq", *arguments], env={"COLUMNS": "200"})
    assert result.exit_code == 2
    assert message in result.output
