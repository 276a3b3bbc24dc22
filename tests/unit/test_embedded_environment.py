import shlex
import subprocess

import pytest

from ops.embedded.environment import child_environment, render, stack_settings, variables
from ops.embedded.layout import Secrets
from ops.embedded.plan import StackOptions, make_plan
from ops.errors import CommandError

SECRETS = Secrets("pg pass'word", "super", "k" * 40, '-admin $HOME `x` "quoted"')
SETTINGS = stack_settings(make_plan(StackOptions(brokers=3), None), SECRETS)


def test_a_shell_reads_back_every_value() -> None:
    values = variables(SETTINGS, SECRETS)
    script = f'set -a; eval "$1"; set +a; {shlex.quote("/usr/bin/env")} -0'
    output = subprocess.run(["/bin/sh", "-c", script, "sh", render(values)], capture_output=True, check=True).stdout
    seen = dict(line.split("=", 1) for line in output.decode().split("\0") if line)
    assert {name: seen[name] for name in values} == values


def test_all_variables_of_the_contract_are_there() -> None:
    assert {
        "POSTGRES_HOST",
        "POSTGRES_PORT",
        "POSTGRES_USER",
        "POSTGRES_PASSWORD",
        "POSTGRES_DB",
        "KAFKA_BOOTSTRAP_SERVERS",
        "KAFKA_SECURITY_PROTOCOL",
        "SECRET_KEY",
        "API_URL",
        "ADMIN_EMAIL",
        "ADMIN_PASSWORD",
    } <= variables(SETTINGS, SECRETS).keys()


def test_replicas_follow_the_brokers() -> None:
    assert SETTINGS.topic_replication == 3
    assert SETTINGS.kafka_bootstrap_servers.count(",") == 2


def test_a_wrong_inherited_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACCESS_TOKEN_TTL_S", "soon")
    with pytest.raises(CommandError, match="ACCESS_TOKEN_TTL_S: input should be a valid integer"):
        stack_settings(make_plan(StackOptions(), None), SECRETS)


def test_children_see_this_stack_and_no_other() -> None:
    outer = {
        "PATH": "/bin",
        "DEBUG": "true",
        "POSTGRES_DB": "other",
        "postgres_host": "elsewhere",
        "TOPIC_PREFIX": "other.",
        "KAFKA_SASL_PASSWORD": "other",
        "ADMIN_PASSWORD": "other",
    }
    inner = child_environment(outer, SETTINGS, SECRETS)
    assert inner["PATH"] == "/bin"
    assert inner["DEBUG"] == "true"
    assert inner["POSTGRES_DB"] == "hfts_db"
    assert inner["POSTGRES_HOST"] == "127.0.0.1"
    assert not {"postgres_host", "TOPIC_PREFIX", "KAFKA_SASL_PASSWORD", "ADMIN_PASSWORD"} & inner.keys()
