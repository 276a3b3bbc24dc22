"""Everything over TLS and SASL, with the rights that the documentation says each process needs, and no others."""

import asyncio
import contextlib
import re
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
import orjson
import pytest
from aiokafka.protocol.admin import CreateAclsRequest
from certificates import Authority
from pydantic import SecretStr
from structlog.testing import capture_logs
from tls_front import tls_front
from workers import environment_of, running, stop, wait_settled, worker

from ops.admin import ensure_admin
from ops.embedded.plan import ListenerOption, StackOptions
from ops.embedded.ports import free_port
from ops.embedded.stack import Stack
from ops.lag.reader import admin_client
from schemas.settings import Settings
from sinks.directory.database import Database
from sinks.errors import DatabaseAwayError, SinkError
from sinks.kafka.access import access_fault
from sinks.kafka.topics import ensure_topics
from sinks.postgres.pool import connect
from streams.servers import cluster_fault, database_fault

DOCUMENT = (Path(__file__).parents[2] / "docs" / "security.md").read_text()
SCRAM = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
PASSWORD = "of-a-{}-and-secret"
ADMIN = ("admin@example.com", "correct horse battery staple")

# The numbers of Kafka's ResourceType, AclOperation, PatternType and AclPermissionType.
RESOURCES = {"topic": 2, "group": 3, "transactional id": 5}
OPERATIONS = {"Read": 3, "Write": 4, "Create": 5, "Describe": 8}
LITERAL, PREFIXED, ALLOW = 3, 4, 3


@dataclass
class Secure:
    """Servers that speak TLS and let in only whom they know."""

    stack: Stack
    folder: Path
    authority: Authority
    postgres_port: int

    def settings(self, user: str, **changes: Any) -> Settings:
        """How this Kafka user gets at them."""
        values = {
            "kafka_sasl_mechanism": "SCRAM-SHA-512",
            "kafka_sasl_username": user,
            "kafka_sasl_password": SecretStr(PASSWORD.format(user)),
            "kafka_ssl_cafile": str(self.authority.cafile),
            "postgres_port": self.postgres_port,
            "postgres_sslmode": "verify-full",
            "postgres_ssl_cafile": str(self.authority.cafile),
        }
        return self.stack.settings("SAFE").model_copy(update=values | changes)


@pytest.fixture(scope="module")
async def secure() -> AsyncIterator[Secure]:
    folder = Path(tempfile.mkdtemp(prefix="hfts-secure-"))  # not tmp_path: PostgreSQL must be able to pass through
    authority = Authority(folder, "ours")
    keys = {
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(authority.issue("broker", "127.0.0.1")),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": str(authority.cafile),
    }
    options = StackOptions(
        partitions=2,
        small=True,
        listeners=(ListenerOption("SAFE", "SASL_SSL"), ListenerOption("MUTUAL", "SSL")),
        broker_properties={
            **{
                f"listener.name.{listener}.{key}": value
                for listener in ("safe", "mutual")
                for key, value in keys.items()
            },
            "listener.name.mutual.ssl.client.auth": "required",
            "listener.name.safe.sasl.enabled.mechanisms": "SCRAM-SHA-512",
            "listener.name.safe.scram-sha-512.sasl.jaas.config": SCRAM,
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": "User:ANONYMOUS",  # who comes by the plain listener, as the brokers themselves
        },
        scram_passwords={user: PASSWORD.format(user) for user, *_ in documented_rights()},
    )
    stack = Stack(folder, options)
    try:
        await stack.start()
        async with tls_front(stack.plan.postgres_port, authority.issue("postgres", "127.0.0.1")) as port:
            await grant_rights(stack.settings())
            yield Secure(stack, folder, authority, port)
    finally:
        await stack.stop()
        shutil.rmtree(folder)


def documented_rights() -> list[tuple[str, str, str, str]]:
    found = re.findall(r"^\| `(\w+)` \| (topic|group|transactional id) `(\S+)` \| (.*) \|$", DOCUMENT, re.MULTILINE)
    assert found
    return found


async def grant_rights(settings: Settings) -> None:
    async with admin_client(settings) as admin:
        for user, kind, name, operations in documented_rights():
            pattern = PREFIXED if name.endswith("*") else LITERAL
            for operation in operations.split(", "):
                request = CreateAclsRequest(
                    RESOURCES[kind], name.rstrip("*"), pattern, f"User:{user}", "*", OPERATIONS[operation], ALLOW
                )
                response = await admin._send_to_controller(request)  # has no method of its own for this
                assert [code for code, _ in response.creation_responses] == [0], response


async def as_documented(settings: Settings) -> Settings:
    """Run the documented statements as the owner; the settings of the role that they make."""
    [statements] = re.findall(r"^```\n(create role .*?)^```$", DOCUMENT, re.MULTILINE | re.DOTALL)
    connection = await connect(settings)
    try:
        await connection.execute(statements.replace("login;", "login password 'of-the-app';"))
    finally:
        await connection.close()
    return settings.model_copy(update={"postgres_user": "hfts_app", "postgres_password": SecretStr("of-the-app")})


async def may_create_roles(stack: Stack) -> None:
    connection = await asyncpg.connect(
        host="127.0.0.1", port=stack.plan.postgres_port, user="postgres", password=stack.secrets.superuser_password
    )
    await connection.execute("alter role hfts createrole")
    await connection.close()


async def hfts(settings: Settings, *command: str) -> tuple[int, str]:
    """Run a command of ours; its exit status and all that it printed."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "ops", *command),
        env=environment_of(settings),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await asyncio.wait_for(process.communicate(), 120)
    return process.returncode or 0, output.decode()


async def test_a_transfer_goes_all_the_way(secure: Secure) -> None:
    ops = secure.settings("ops")
    for status, output in await asyncio.gather(hfts(ops, "migrate"), hfts(ops, "topics")):
        assert status == 0, output
    await may_create_roles(secure.stack)
    app = await as_documented(ops)
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
        paid = await pay(roles["api"])
        await wait_settled(ops, ("transfers",), transfers)
        await wait_settled(ops, ("notifications", "audit", "deliveries"), downstream)
        lag = await hfts(ops, "lag", "--json")
        for process in (api, transfers, downstream):
            assert await stop(process) == 0
    assert (paid["status"], paid["source_version"]) == ("COMPLETED", 2)
    assert lag[0] == 0, lag[1]
    status, output = await hfts(ops, "reconcile", "--settled", "--json")
    assert status == 0, output
    assert not orjson.loads(output).get("faults")
    everything = "".join(log.read_text() for log in logs.values()) + output
    assert "of-a-" not in everything
    assert "of-the-app" not in everything


async def pay(settings: Settings) -> Any:
    """Over HTTP: a deposit to Ada and a payment to Bob; what became of the payment."""
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{settings.api_port}", timeout=30) as client:
        async with asyncio.timeout(120):
            while not await is_ready(client):  # noqa: ASYNC110 (another process)
                await asyncio.sleep(0.05)
        admin = await log_in(client, *ADMIN)
        people = []
        for name in ("ada", "bob"):
            account = {"email": f"{name}@example.com", "password": "quite a long pass phrase"}
            assert (await client.post("/v1/users", json=account)).status_code == 201
            token = await log_in(client, account["email"], account["password"])
            wallet = await client.post("/v1/wallets", json={"currency": "USD"}, headers=token)
            people.append((token, wallet.json()["wallet_id"]))
        (ada, from_wallet), (_, to_wallet) = people
        money = {"wallet_id": from_wallet, "amount": "10", "currency": "USD"}
        deposit = await client.post("/v1/deposits", json=money, headers=admin)
        assert (await settled(client, deposit, admin))["status"] == "COMPLETED"
        order = {"source_wallet_id": from_wallet, "destination_wallet_id": to_wallet, "amount": "4", "currency": "USD"}
        return await settled(client, await client.post("/v1/transfers", json=order, headers=ada), ada)


async def settled(client: httpx2.AsyncClient, accepted: httpx2.Response, token: dict[str, str]) -> Any:
    assert accepted.status_code == 202, accepted.text
    async with asyncio.timeout(120):
        while True:
            found = (await client.get(accepted.headers["Location"], headers=token)).json()
            if found["status"] != "PENDING":
                return found
            await asyncio.sleep(0.05)


async def is_ready(client: httpx2.AsyncClient) -> bool:
    try:
        return (await client.get("/readyz")).status_code == 200
    except httpx2.TransportError:
        return False


async def log_in(client: httpx2.AsyncClient, email: str, password: str) -> dict[str, str]:
    answer = await client.post("/v1/auth/token", data={"username": email, "password": password})
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


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
    status, output = await hfts(wrong, "lag")
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
        await database.missing_migrations()
    await database.close()
    assert "let POSTGRES_SSL_CAFILE name the PEM file" in logged[0]["error"], "the API tells its log, not who asks"
    status, output = await hfts(wrong, "migrate", "status")
    assert (status, output.startswith(f"hfts: the certificate of {server} is not to be trusted")) == (1, True)


async def test_a_database_password_that_is_wrong_is_told_without_telling_it(secure: Secure) -> None:
    wrong = secure.settings("ops", postgres_password=SecretStr("wrong-and-secret"))
    status, output = await hfts(wrong, "migrate", "status")
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
