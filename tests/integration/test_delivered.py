"""From an outcome on its topic to a mail server and a webhook, through the agents in a process of their own."""

import asyncio
from collections import Counter
from pathlib import Path

import asyncpg
from live_api import LiveApi, app_client
from mail_server import mail_server
from plain_topics import put_records
from pydantic import SecretStr
from standardwebhooks import Webhook
from told_outcomes import outcome
from webhook_site import webhook_site
from workers import SETTLE_TIMEOUT_S, stop, worker

from schemas.headers import SOURCE_OFFSET
from schemas.settings import Settings
from schemas.topics import TRANSFERS_OUTCOMES
from schemas.transfers import encode_outcome
from sinks.kafka.records import Record


async def test_an_outcome_comes_once_by_e_mail_and_webhook(
    settings: Settings, connection: asyncpg.Connection, tmp_path: Path
) -> None:
    log = tmp_path / "worker.log"
    async with mail_server() as server, webhook_site() as site:
        ours = settings.model_copy(
            update={
                "smtp_url": SecretStr(f"smtp://127.0.0.1:{server.port}"),
                "smtp_sender": "The Bank <no-reply@bank.example>",
                "webhook_private_addresses": True,
            }
        )
        async with app_client(ours) as (app, client):
            api = LiveApi(app, client, connection, ours)
            ada, ben = await api.person("ada"), await api.person("ben")
            wallets = [await api.wallet(person) for person in (ada, ben)]
            hook = {"url": f"http://127.0.0.1:{site.port}/hook"}
            secret = (await client.put("/v1/webhook", json=hook, headers=ben.headers)).json()["secret"]
        paid = outcome(source_wallet_id=wallets[0], destination_wallet_id=wallets[1], reference="rent")
        record = Record(wallets[0].encode(), encode_outcome(paid), [(SOURCE_OFFSET, b"0")])
        again = Record(record.key, record.value, [(SOURCE_OFFSET, b"1")])
        await put_records(ours, ours.topic_name(TRANSFERS_OUTCOMES), 0, [record, again])

        async with worker(ours, log, "notifications,deliveries") as process:
            async with asyncio.timeout(SETTLE_TIMEOUT_S):
                while await connection.fetchval("select count(*) from deliveries where status = 'delivered'") < 3:
                    assert process.returncode is None, log.read_text()
                    await asyncio.sleep(0.1)
            assert await stop(process) == 0, log.read_text()

    assert await connection.fetchval("select count(*) from deliveries") == 3
    assert Counter((str(mail["To"]), str(mail["Subject"])) for mail in server.messages) == {
        ("ada@example.com", "You paid 1.00 USD"): 1,
        ("ben@example.com", "You received 1.00 USD"): 1,
    }
    [(headers, body)] = site.calls
    event = Webhook(secret).verify(body, headers)
    assert (event["type"], event["data"]["transfer_id"]) == ("transfer.completed", paid.transfer_id)
    assert (event["data"]["user_id"], event["data"]["reference"]) == (ben.user_id, "rent")
    assert "@" not in log.read_text()
