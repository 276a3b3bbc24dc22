"""The doctor on settings: each mistake, and the same without it."""

import os
from pathlib import Path
from typing import Any

import pytest
from doctor_findings import only

from ops.doctor.checks.security import is_near, judge_crash_point, judge_encryption, judge_proxy, judge_secret_key
from ops.doctor.checks.settings import judge_file, judge_files_and_keys, judge_names, judge_values
from ops.doctor.facts.configuration import Configuration, SettingsFile, read_configuration, read_settings_file
from ops.doctor.finding import Unknown, Verdict
from schemas.settings import Settings
from schemas.signatures import new_keys

KEY = "Jq7-vX2_mB9sLd4Kf0RtYw8ZcH5nPgAe"


def settings(**values: Any) -> Settings:
    return Settings(_env_file=None, **{"postgres_password": "of-the-database", "secret_key": KEY, **values})


def configuration(file: SettingsFile | None = None, **values: Any) -> Configuration:
    return Configuration(file or SettingsFile(Path(".env")), settings(), **values)


def written(folder: Path, text: str, mode: int = 0o600) -> Path:
    file = folder / ".env"
    file.write_text(text)
    file.chmod(mode)
    return file


def test_no_file_is_fine(tmp_path: Path) -> None:
    only(judge_file(read_settings_file(tmp_path / ".env")), Verdict.OK)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    latin = tmp_path / "latin"
    latin.write_bytes(b"# caf\xe9\n")
    for path, fault in ((tmp_path / "folder", "Is a directory"), (latin, "no text in UTF-8")):
        found = only(judge_file(read_settings_file(path)), Verdict.PROBLEM)
        assert fault in found.seen
        assert str(path) in found.command


def test_secrets_that_others_may_read(tmp_path: Path) -> None:
    open_to_all = read_settings_file(written(tmp_path, "export SECRET_KEY = x\n", 0o644))
    found = only(judge_file(open_to_all), Verdict.WARNING)
    assert "mode 644" in found.seen
    assert found.command == f"chmod 600 {tmp_path / '.env'}"
    only(judge_file(read_settings_file(written(tmp_path, "SECRET_KEY=x\n"))), Verdict.OK)
    only(judge_file(read_settings_file(written(tmp_path, "API_PORT=1\n", 0o644))), Verdict.OK)


def read(monkeypatch: pytest.MonkeyPatch, file: Path, **environment: str) -> Configuration:
    for name in (*Settings.model_fields, "forwarded_allow_ips"):
        monkeypatch.delenv(name.upper(), raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return read_configuration(file)


def test_every_wrong_value_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = written(tmp_path, "SECRET_KEY=too-short-and-secret\nPOSTGRES_PORT=none\n")
    findings = judge_values(read(monkeypatch, file))
    names = [finding.seen.partition(":")[0] for finding in findings]
    assert sorted(names) == ["POSTGRES_PASSWORD", "POSTGRES_PORT", "SECRET_KEY"]
    assert {finding.verdict for finding in findings} == {Verdict.PROBLEM}
    assert "too-short-and-secret" not in str(findings)
    assert [finding.seen for finding in findings if "token_urlsafe" in finding.command] == [findings[-1].seen]
    only(judge_values(configuration()), Verdict.OK)


def test_one_wrong_value_does_not_hide_the_others_servers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    found = read(monkeypatch, tmp_path / ".env", SECRET_KEY=KEY, KAFKA_BOOTSTRAP_SERVERS="kafka:1")
    kafka = found.settings_for("KAFKA_", "TOPIC_")
    assert isinstance(kafka, Settings)
    assert kafka.kafka_bootstrap_servers == "kafka:1"
    assert found.settings_for("POSTGRES_") == Unknown("POSTGRES_PASSWORD must be set right first")
    assert isinstance(found.settings_for("SECRET_KEY"), Settings)


def test_signatures_without_keys_are_no_reason_to_give_up(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    needed = {"SECRET_KEY": KEY, "POSTGRES_PASSWORD": "p"}
    found = read(monkeypatch, tmp_path / ".env", **needed, REQUIRE_SIGNED_REQUESTS="true")
    assert set(found.wrong) == {"REQUEST_VERIFY_KEYS"}
    assert isinstance(found.settings_for("KAFKA_"), Settings)


def test_a_file_that_cannot_be_read_leaves_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.mkdir()
    found = read(monkeypatch, file, SECRET_KEY=KEY, POSTGRES_PASSWORD="p")
    assert isinstance(found.settings, Settings)
    assert found.file.fault == os.strerror(21)


@pytest.mark.parametrize(
    ("names", "seen"),
    [
        ({"KAFKA_BOOTSTRAP_SERVER"}, "KAFKA_BOOTSTRAP_SERVER in .env is no setting; KAFKA_BOOTSTRAP_SERVERS is one"),
        ({"POSTGRES_URL"}, "POSTGRES_URL in .env is no setting"),
        ({"SECRETKEY"}, "SECRETKEY in .env is no setting; SECRET_KEY is one"),
    ],
)
def test_a_misspelt_name(names: set[str], seen: str) -> None:
    file = SettingsFile(Path(".env"), 0o600, None, frozenset(names))
    assert only(judge_names(configuration(file)), Verdict.WARNING).seen.startswith(seen)


def test_names_of_others_are_passed_over() -> None:
    file = SettingsFile(Path(".env"), 0o600, None, frozenset({"WORKERS", "ADMIN_EMAIL", "API_PORT", "HTTP_PROXY"}))
    environment = frozenset({"PATH", "HOME", "API_URL", "KAFKA_HOME", "POSTGRES_URL", "DEBUG", "SHELL"})
    only(judge_names(configuration(file, environment=environment)), Verdict.OK)
    misspelt = judge_names(configuration(environment=frozenset({"KAFKA_BOOTSTRAP_SERVER"})))
    assert "in the environment" in only(misspelt, Verdict.WARNING).seen


def test_files_and_credentials_that_do_not_fit() -> None:
    wrong = settings(postgres_sslmode="verify-full", postgres_ssl_cafile="/nowhere.pem")
    assert "POSTGRES_SSL_CAFILE" in only(judge_files_and_keys(wrong), Verdict.PROBLEM).seen
    wrong = settings(kafka_security_protocol="SASL_PLAINTEXT")
    assert "needs KAFKA_SASL_USERNAME" in only(judge_files_and_keys(wrong), Verdict.PROBLEM).seen
    checking_only = settings(require_signed_requests=True, request_verify_keys=new_keys("api")[1])
    assert only(judge_files_and_keys(checking_only), Verdict.WARNING).command == "hfts keygen api"
    only(judge_files_and_keys(settings()), Verdict.OK)


@pytest.mark.parametrize(
    ("key", "fault"),
    [
        ("a" * 40, "is made of 1 different characters only"),
        ("change-me-please-to-something-random", "looks like an example"),
        ("an example of thirty-two characters", "looks like an example"),
        ("0123456789abcdef" * 4, "is the same few characters again and again"),
        ("qwertyuiopasdfghjklzxcvbnmqwertyuiop", "is a sequence"),
        ("of-the-database-of-the-database-of-the", "is the same as POSTGRES_PASSWORD"),
    ],
)
def test_a_key_that_is_guessed_easily(key: str, fault: str) -> None:
    guessed = settings(secret_key=key, postgres_password="of-the-database-of-the-database-of-the")
    found = only(judge_secret_key(guessed), Verdict.PROBLEM)
    assert found.seen.startswith(f"SECRET_KEY {fault}")
    assert key not in str(found)


@pytest.mark.parametrize("key", [KEY, KEY.swapcase() + KEY * 5, "6f9c1e0b7a4d2385f1e9c0d7b6a34582"])
def test_a_key_that_will_do(key: str) -> None:
    only(judge_secret_key(settings(secret_key=key)), Verdict.OK)


def test_earlier_keys_count_too() -> None:
    found = judge_secret_key(settings(secret_keys_previous=f"{KEY.swapcase()},{'ab' * 20}"))
    assert only(found, Verdict.PROBLEM).seen.startswith("a key of SECRET_KEYS_PREVIOUS is made of 2 ")


def test_a_crash_point() -> None:
    assert "after_commit:3" in only(judge_crash_point(settings(crash_point="after_commit:3")), Verdict.PROBLEM).seen
    only(judge_crash_point(settings()), Verdict.OK)


@pytest.mark.parametrize(
    ("values", "seen"),
    [
        ({"kafka_bootstrap_servers": "localhost:1,kafka:2"}, "KAFKA_SECURITY_PROTOCOL=PLAINTEXT to kafka:2"),
        (
            {"kafka_bootstrap_servers": "10.0.0.1:1", "kafka_security_protocol": "SASL_PLAINTEXT"},
            "KAFKA_SECURITY_PROTOCOL=SASL_PLAINTEXT to 10.0.0.1:1",
        ),
        ({"postgres_host": "db.local", "postgres_sslmode": "require"}, "POSTGRES_SSLMODE=require to db.local"),
    ],
)
def test_what_crosses_a_network_in_the_clear(values: dict[str, str], seen: str) -> None:
    assert only(judge_encryption(settings(**values)), Verdict.WARNING).seen == seen


def test_what_stays_here_or_is_encrypted() -> None:
    only(judge_encryption(settings()), Verdict.OK)
    far = settings(
        kafka_bootstrap_servers="kafka:1",
        kafka_security_protocol="SASL_SSL",
        postgres_host="db",
        postgres_sslmode="verify-full",
    )
    only(judge_encryption(far), Verdict.OK)
    assert all(is_near(host) for host in ("localhost", "127.1.2.3", "[::1]"))
    assert not any(is_near(host) for host in ("10.0.0.1", "kafka"))


def test_a_proxy_that_is_not_known_or_everybody() -> None:
    reachable = settings(api_host="0.0.0.0")  # noqa: S104 (nothing listens there)
    assert "is not set" in only(judge_proxy((reachable, configuration())), Verdict.WARNING).seen
    for trusted in ("*", "10.0.0.1,*"):
        anyone = configuration(forwarded_allow_ips=trusted)
        assert "Every client is believed" in only(judge_proxy((settings(), anyone)), Verdict.WARNING).why
    only(judge_proxy((reachable, configuration(forwarded_allow_ips="10.0.0.1"))), Verdict.OK)
    only(judge_proxy((settings(), configuration())), Verdict.OK)
