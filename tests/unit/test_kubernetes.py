"""The manifests in deploy/kubernetes, as far as they can be checked without a cluster."""

import re
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from pydantic import SecretStr

from ingest_api.draining_server import SHUTDOWN_TIMEOUT_S
from ingest_api.routes import health
from schemas.settings import Settings
from sinks.postgres.migration_files import Step
from streams.app import STOP_S_MAX
from streams.worker import ALL_AGENTS

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "deploy" / "kubernetes").glob("*.yaml"))
MANIFESTS: list[dict[str, Any]] = [each for file in FILES for each in yaml.safe_load_all(file.read_text())]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SECURITY = (ROOT / "docs" / "security.md").read_text()

# Where a worker answers probes.
WORKER_PORT = "WORKER_PORT"


def of_kind(kind: str) -> dict[str, dict[str, Any]]:
    return {each["metadata"]["name"]: each for each in MANIFESTS if each["kind"] == kind}


DEPLOYMENTS, JOBS, CONFIG = of_kind("Deployment"), of_kind("Job"), of_kind("ConfigMap")["hfts"]["data"]
PODS: dict[str, dict[str, Any]] = {name: each["spec"]["template"] for name, each in {**DEPLOYMENTS, **JOBS}.items()}


def container(name: str) -> dict[str, Any]:
    found: dict[str, Any]
    [found] = PODS[name]["spec"]["containers"]
    return found


def variables(name: str) -> dict[str, str]:
    return {each["name"]: each["value"] for each in container(name).get("env", []) if "value" in each}


def secrets(name: str) -> dict[str, Any]:
    """Those that are taken from elsewhere than the Secret of the pod's kind."""
    return {each["name"]: each["valueFrom"] for each in container(name).get("env", []) if "value" not in each}


def probes(name: str) -> dict[str, dict[str, Any]]:
    return {key.removesuffix("Probe"): value for key, value in container(name).items() if key.endswith("Probe")}


def test_there_is_what_there_is_to_run() -> None:
    assert set(DEPLOYMENTS) == {"hfts-api", "hfts-worker", "hfts-downstream"}
    assert set(JOBS) == {"hfts-migrate-pre", "hfts-migrate-post"}
    assert {each["kind"] for each in MANIFESTS} == {"ConfigMap", "Deployment", "Job", "PodDisruptionBudget", "Service"}


@pytest.mark.parametrize("name", PODS)
def test_the_image_is_the_one_of_compose(name: str) -> None:
    assert container(name)["image"] == COMPOSE["services"]["api"]["image"]


@pytest.mark.parametrize("name", PODS)
def test_pods_are_closed(name: str) -> None:
    pod, one = PODS[name]["spec"], container(name)
    user = re.search(r"^USER (\d+):", (ROOT / "deploy" / "Dockerfile").read_text(), re.MULTILINE)
    assert user is not None
    assert (pod["securityContext"]["runAsNonRoot"], pod["securityContext"]["runAsUser"]) == (True, int(user[1]))
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"] is False
    assert one["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert "memory" in one["resources"]["limits"]
    assert [mount["mountPath"] for mount in one["volumeMounts"]] == COMPOSE["services"]["api"]["tmpfs"]


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_selectors_select_their_own(name: str) -> None:
    labels = PODS[name]["metadata"]["labels"]
    assert DEPLOYMENTS[name]["spec"]["selector"]["matchLabels"] == labels
    assert of_kind("PodDisruptionBudget")[name]["spec"]["selector"]["matchLabels"] == labels
    if name == "hfts-api":
        assert of_kind("Service")[name]["spec"]["selector"] == labels


def test_the_environment_is_of_our_settings_and_holds_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    known = {name.upper() for name in Settings.model_fields} | {WORKER_PORT}
    types = {name.upper(): field.annotation for name, field in Settings.model_fields.items()}
    secret = {name for name, kind in types.items() if SecretStr in (kind, *get_args(kind))}
    named = {*CONFIG, *(variable for name in PODS for variable in variables(name))}
    assert named <= known - secret
    for name, value in {**CONFIG, **variables("hfts-api"), **dict.fromkeys(secret, "made-up-" * 4)}.items():
        monkeypatch.setenv(name, value)
    for name in ("AUDIT_SIGNING_KEY", "REQUEST_SIGNING_KEY", "SMTP_URL"):  # of a form of their own
        monkeypatch.delenv(name)
    assert Settings(_env_file=None).kafka_security_protocol == "SASL_SSL"


@pytest.mark.parametrize("name", PODS)
def test_each_has_the_rights_of_its_kind(name: str) -> None:
    config, rights = container(name)["envFrom"]
    assert config == {"configMapRef": {"name": "hfts"}}
    user = rights["secretRef"]["name"].removeprefix("hfts-")
    assert f"| `{user}` |" in SECURITY
    assert (user == "ops") == (name in JOBS)


def test_the_mail_server_is_known_to_who_delivers_alone() -> None:
    [delivers] = [name for name in DEPLOYMENTS if "deliveries" in container(name)["args"][-1].split(",")]
    assert [name for name in PODS if "SMTP_SENDER" in variables(name)] == [delivers]
    assert {name: secrets(name) for name in PODS if secrets(name)} == {
        delivers: {"SMTP_URL": {"secretKeyRef": {"name": "hfts-mail", "key": "SMTP_URL", "optional": True}}}
    }
    assert "SMTP_URL" not in CONFIG


def test_each_agent_runs_in_one_deployment() -> None:
    commands = [container(name)["args"] for name in DEPLOYMENTS]
    assert ["api"] in commands
    agents = [command[2] for command in commands if command[:2] == ["worker", "--agents"]]
    assert sorted(",".join(agents).split(",")) == sorted(ALL_AGENTS)
    assert container("hfts-worker")["args"][2] == "transfers"


@pytest.mark.parametrize("step", Step)
def test_migrations_have_a_job_a_step(step: Step) -> None:
    job = container(f"hfts-migrate-{step}")
    assert job["command"] == ["sh", "-ec"]
    [script] = job["args"]
    assert f"hfts migrate up --step {step}" in script.split(" && ")
    assert PODS[f"hfts-migrate-{step}"]["spec"]["restartPolicy"] == "Never"


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_probes_ask_what_there_is(name: str) -> None:
    [port] = container(name)["ports"]
    number = variables(name)["API_PORT" if name == "hfts-api" else WORKER_PORT]
    assert str(port["containerPort"]) == number
    paths = {key: probe["httpGet"]["path"] for key, probe in probes(name).items()}
    assert paths == {"startup": "/healthz", "readiness": "/readyz", "liveness": "/healthz"}
    assert {getattr(route, "path", None) for route in health.router.routes} == set(paths.values())
    assert {probe["httpGet"]["port"] for probe in probes(name).values()} == {port["name"]}


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_each_has_the_time_it_takes_to_stop(name: str) -> None:
    delay_s = int(variables(name).get("API_SHUTDOWN_DELAY_S", 0))
    grace_s = PODS[name]["spec"]["terminationGracePeriodSeconds"]
    assert grace_s > delay_s + (SHUTDOWN_TIMEOUT_S if name == "hfts-api" else STOP_S_MAX) + 5
    assert DEPLOYMENTS[name]["spec"]["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}
    assert "lifecycle" not in container(name)


def test_the_api_serves_until_it_is_known_not_to_be_ready() -> None:
    readiness = probes("hfts-api")["readiness"]
    noticed_s = readiness["periodSeconds"] * readiness["failureThreshold"] + readiness["timeoutSeconds"]
    assert int(variables("hfts-api")["API_SHUTDOWN_DELAY_S"]) > noticed_s
