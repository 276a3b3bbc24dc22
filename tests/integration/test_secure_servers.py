"""Everything over TLS and SASL, with the rights that the documentation says each process needs, and no others."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import orjson
import pytest
from api_calls import log_in, wait_readiness
from certificates import Authority
from doctor_findings import examined
from documented_rights import documented_role, may_create_roles
from payers import deposit_and_pay
from pydantic import SecretStr
from secure_servers import Secure, secure_servers
from structlog.testing import capture_logs
from workers import run_hfts, running, stop, wait_settled, worker

from ops.admin import ensure_admin
from ops.doctor.finding import Verdict
from ops.embedded.ports import free_port
from sinks.directory.database import Database
from sinks.errors import DatabaseAwayError, SinkError
from sinks.kafka.access import access_fault
from sinks.kafka.topics import ensure_topics
from sinks.postgres.pool import connect
from streams.servers import cluster_fault, database_fault

ADMIN = ("admin@example.com", "correct horse battery staple")


@pytest.fixture(scope="module")
async def secure() -> AsyncIterator[Secure]:
    async with secure_servers() as secure:
        yield secure


async def test_a_transfer_goes_all_the_way(secure: Secure) -> None:
    ops = secure.settings("ops")
    for status, output in await asyncio.gather(run_hfts(ops, "migrate"), run_hfts(ops, "topics")):
        assert status == 0, output
    await may_create_roles(secure.stack)
    app = await documented_role(ops)
    await ensure_admin(app, *ADMIN)
    roles = {
        name: secure.settings(
            name, postgres_user=app.postgres_user, postgres_password=app.postgres_password, api_port=free_port(())
        )
        for name in ("api", "transfers", "downstream")
    }
    logs = {name: secure.folder / f"{name}.log" for name in roles}
    async with contextlib.AsyncExitStack() as processes:
        enter = processes.enter_async_context
        api = await enter(running(roles["api"], logs["api"], [sys.executable, "-P", "-m", "ops", "api"]))
        transfers = await enter(worker(roles["transfers"], logs["transfers"], "transfers"))
        downstream = await enter(worker(roles["downstream"], logs["downstream"], "notifications,audit,deliveries"))
        url = f"http://127.0.0.1:{roles['api'].api_port}"
        async with httpx2.AsyncClient(base_url=url, timeout=30) as client:
            await wait_readiness(client)
            paid = await deposit_and_pay(url, *ADMIN)
            await wait_settled(ops, ("transfers",), transfers)
            await wait_settled(ops, ("notifications", "audit", "deliveries"), downstream)
            await use_the_dashboard(client, await log_in(client, *ADMIN), str(paid.transfer_id))
        lag = await run_hfts(ops, "lag", "--json")
        nothing = str(secure.folder / "nothing")
        count = "select count(*) as records from transfers"
        asked = await run_hfts(
            secure.settings("analyst"), "audit", "query", count, "--from", nothing, "--format", "csv"
        )
        connection = await connect(ops)
        told = {tuple(row["agents"]) for row in await connection.fetch("select agents from workers")}
        for process in (api, transfers, downstream):
            assert await stop(process) == 0
        left = await connection.fetchval("select count(*) from workers")
        await connection.close()
    assert (paid.status, paid.source_version) == ("COMPLETED", 2)
    assert lag[0] == 0, lag[1]
    assert asked[0] == 0, asked[1]
    assert asked[1].split() == ["records", "2"]
    assert told == {("transfers",), ("notifications", "audit", "deliveries")}
    assert left == 0, "they may take their rows away, too"
    status, output = await run_hfts(ops, "reconcile", "--settled", "--json")
    assert status == 0, output
    assert not orjson.loads(output).get("faults")
    everything = "".join(log.read_text() for log in logs.values()) + output
    assert "of-a-" not in everything
    assert "of-the-app" not in everything


async def use_the_dashboard(client: httpx2.AsyncClient, admin: dict[str, str], transfer_id: str) -> None:
    path = await client.get(f"/ops/transfers/{transfer_id}", headers=admin)
    assert path.status_code == 200, path.text
    assert path.json()["audit"]["hash_holds"]
    letters = await client.get("/ops/dead-letters", headers=admin)
    assert (letters.status_code, letters.json()["data"]) == (200, [])
    replay = await client.post("/ops/replays", json={"addresses": ["0:9"]}, headers=admin)
    assert (replay.status_code, replay.json()["code"]) == (404, "letter_not_found")


async def test_brokers_that_cannot_be_trusted_are_named_with_the_next_step(secure: Secure, tmp_path: Path) -> None:
    stranger = Authority(tmp_path, "stranger")
    settings = secure.settings("ops")
    assert await access_fault(settings) is None
    server = settings.kafka_bootstrap_servers
    wrong_authority = settings.model_copy(update={"kafka_ssl_cafile": str(stranger.cafile)})
    fault = await cluster_fault(wrong_authority) or ""
    assert fault.startswith(f"the certificate of {server} is not to be trusted (")
    assert fault.endswith("let KAFKA_SSL_CAFILE name the PEM file of the authority that signed it")
    other_name = settings.model_copy(update={"kafka_bootstrap_servers": server.replace("127.0.0.1", "localhost")})
    assert "is made out to another host" in (await access_fault(other_name) or "")
    assert "connect by a name that it holds" in (await access_fault(other_name) or "")


async def test_a_wrong_password_is_told_without_telling_it(secure: Secure) -> None:
    wrong = secure.settings("ops", kafka_sasl_password=SecretStr("wrong-and-secret"))
    with pytest.raises(SinkError, match="refuses user ops: check KAFKA_SASL_USERNAME, KAFKA_SASL_PASSWORD"):
        await ensure_topics(wrong)
    status, output = await run_hfts(wrong, "lag")
    assert status == 1
    assert output.startswith("hfts: Kafka at 127.0.0.1:")
    assert "refuses user ops" in output
    assert "secret" not in output


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"kafka_sasl_mechanism": "PLAIN"}, "does not take PLAIN: set KAFKA_SASL_MECHANISM"),
        ({"kafka_security_protocol": "SSL"}, "does not talk as KAFKA_SECURITY_PROTOCOL=SSL wants it"),
        ({"kafka_security_protocol": "PLAINTEXT"}, "does not talk as KAFKA_SECURITY_PROTOCOL=PLAINTEXT wants it"),
        ({"kafka_ssl_cafile": "/nowhere.pem"}, "KAFKA_SSL_CAFILE: /nowhere.pem cannot be used (No such file or"),
        ({"kafka_ssl_cafile": __file__}, "cannot be used (it holds no PEM certificate that fits)"),
        ({"kafka_ssl_certfile": __file__}, "KAFKA_SSL_CERTFILE: " + __file__),
    ],
)
async def test_a_setting_that_does_not_fit_the_brokers_is_named(
    secure: Secure, changes: dict[str, str], fault: str
) -> None:
    try:
        found = await access_fault(secure.settings("ops", **changes))
    except SinkError as error:
        found = str(error)
    assert fault in (found or "")


async def test_the_doctor_tells_what_each_user_may_do(secure: Secure) -> None:
    await ensure_topics(secure.settings("ops"))
    for user in ("api", "transfers", "downstream", "ops"):
        found = await examined(secure.settings(user))
        assert found["kafka-rights"][0].seen == f"{user} may do what {user} must"
        verdicts = {found[check][0].verdict for check in ("topic-retention", "kafka-sessions", "kafka-brokers")}
        assert verdicts == {Verdict.OK if user == "ops" else Verdict.NOT_CHECKED}
        assert "of-a-" not in str(found)


async def test_the_doctor_names_rights_that_are_missing(secure: Secure) -> None:
    found = await examined(secure.settings("ops", topic_prefix="elsewhere."))
    [rights] = found["kafka-rights"]
    assert rights.verdict is Verdict.PROBLEM
    assert "Read on topic elsewhere.transfers.requested" in rights.seen
    assert "--allow-principal User:ops" in rights.command
    assert "TopicAuthorizationFailedError" in found["topics"][0].seen


async def test_the_doctor_names_brokers_that_send_us_astray(secure: Secure) -> None:
    status, output = await run_hfts(secure.settings_astray(), "doctor", "--json")
    found = {finding["check"]: finding for finding in orjson.loads(output)["findings"]}
    assert status == 1
    assert found["kafka-access"]["verdict"] == "ok"
    assert "tells clients to come to 127.0.0.1:" in found["kafka-advertised"]["seen"]
    assert found["topics"]["seen"] == "the addresses that the brokers advertise must be reached first"


async def test_brokers_may_ask_for_a_certificate_of_ours(secure: Secure) -> None:
    without = secure.stack.settings("MUTUAL").model_copy(update={"kafka_ssl_cafile": str(secure.authority.cafile)})
    assert await access_fault(without) is not None
    certificate = str(secure.authority.issue("client"))
    assert await access_fault(without.model_copy(update={"kafka_ssl_certfile": certificate})) is None


async def test_a_database_that_cannot_be_trusted_is_named_with_the_next_step(secure: Secure, tmp_path: Path) -> None:
    settings = secure.settings("ops")
    stranger = str(Authority(tmp_path, "stranger").cafile)
    server = f"127.0.0.1:{settings.postgres_port}"
    for mode in ("verify-full", "require"):
        wrong = settings.model_copy(update={"postgres_ssl_cafile": stranger, "postgres_sslmode": mode})
        fault = await database_fault(wrong) or ""
        assert fault.startswith(f"the certificate of {server} is not to be trusted (")
        assert "let POSTGRES_SSL_CAFILE name the PEM file" in fault
    other_name = settings.model_copy(update={"postgres_host": "localhost"})
    assert "is made out to another host" in (await database_fault(other_name) or "")
    database = await Database.open(wrong)
    with capture_logs() as logged, pytest.raises(DatabaseAwayError, match="PostgreSQL is away"):
        await database.check_schema()
    await database.close()
    assert "let POSTGRES_SSL_CAFILE name the PEM file" in logged[0]["error"], "the API tells its log, not who asks"
    status, output = await run_hfts(wrong, "migrate", "status")
    assert (status, output.startswith(f"hfts: the certificate of {server} is not to be trusted")) == (1, True)


async def test_a_database_password_that_is_wrong_is_told_without_telling_it(secure: Secure) -> None:
    wrong = secure.settings("ops", postgres_password=SecretStr("wrong-and-secret"))
    status, output = await run_hfts(wrong, "migrate", "status")
    assert status == 1
    assert "refuses user hfts: check POSTGRES_USER, POSTGRES_PASSWORD" in output
    assert "secret" not in output


async def test_what_each_mode_asks_of_the_database(secure: Secure) -> None:
    async def is_encrypted(**changes: Any) -> bool:
        connection: Any = await connect(secure.settings("ops", **changes))
        try:
            return bool(connection._protocol.is_ssl)  # the server behind the front knows nothing of TLS
        finally:
            await connection.close()

    plain = {"postgres_port": secure.stack.plan.postgres_port}
    assert await is_encrypted()
    assert await is_encrypted(postgres_sslmode="require", postgres_host="localhost"), "host names are not checked"
    assert await is_encrypted(postgres_sslmode="require", postgres_ssl_cafile=None), "nor is the certificate"
    assert await is_encrypted(postgres_sslmode="prefer")
    assert not await is_encrypted(postgres_sslmode="prefer", **plain)
    assert not await is_encrypted(postgres_sslmode="disable", **plain)
    for mode in ("require", "verify-full"):
        fault = await database_fault(secure.settings("ops", postgres_sslmode=mode, **plain)) or ""
        assert f"offers no TLS, and POSTGRES_SSLMODE={mode} wants it" in fault
