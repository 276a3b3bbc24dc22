"""What follows a transfer, as Celery tasks: an e-mail, which nobody gets, and an entry in the audit table."""

import asyncio
import os
from email.message import EmailMessage
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

from celery import Celery
from sqlalchemy import insert

from bench.peers.classical.tables import AuditEntry, create_engine
from schemas.settings import Settings

BROKER_VARIABLE = "CLASSICAL_BROKER_URL"
SEND_EMAIL = "classical.send_email"
WRITE_AUDIT = "classical.write_audit"

PROCESSES = 2
PREFETCHED = 64
"""Tasks that a process takes at a time: each lasts a millisecond or so."""


class _Database:
    """The connection of one worker process, with a loop to run it on."""

    def __init__(self) -> None:
        self._runner = asyncio.Runner()
        self._engine = create_engine(Settings(), pool_size=1)

    def add(self, transfer: dict[str, Any]) -> None:
        self._runner.run(self._add(transfer))

    async def _add(self, transfer: dict[str, Any]) -> None:
        async with self._engine.begin() as connection:
            row = {"transfer_id": UUID(transfer["transfer_id"]), "content": transfer}
            await connection.execute(insert(AuditEntry), row)


_database = cache(_Database)  # made at the first task, when the worker has forked


def create_celery(broker_url: str) -> Celery:
    """The tasks behind this broker."""
    celery = Celery("classical", broker=broker_url)
    celery.conf.update(
        task_ignore_result=True,
        worker_prefetch_multiplier=PREFETCHED,
        broker_connection_retry_on_startup=True,
        worker_send_task_events=False,
    )
    celery.task(name=SEND_EMAIL)(send_email)
    celery.task(name=WRITE_AUDIT)(write_audit)
    return celery


def send_email(transfer: dict[str, Any]) -> None:
    """Write the message to where messages vanish."""
    message = EmailMessage()
    message["From"], message["To"] = "transfers@example.com", f"{transfer['source_wallet_id']}@example.com"
    message["Subject"] = f"Your transfer of {transfer['amount']} {transfer['currency']}"
    message.set_content(f"Transfer {transfer['transfer_id']} to {transfer['destination_wallet_id']} is done.")
    Path(os.devnull).write_bytes(bytes(message))


def write_audit(transfer: dict[str, Any]) -> None:
    """Add an entry."""
    _database().add(transfer)


def main() -> None:
    """Run the worker until SIGTERM."""
    celery = create_celery(os.environ[BROKER_VARIABLE])
    options = [f"--concurrency={PROCESSES}", "--loglevel=WARNING"]
    celery.worker_main(["worker", *options, "--without-gossip", "--without-mingle", "--without-heartbeat"])


if __name__ == "__main__":
    main()
