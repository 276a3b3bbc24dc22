"""Its HTTP side: one route, one transaction a request, and two tasks after the commit."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from celery import Celery
from fastapi import FastAPI, HTTPException
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select
from sqlalchemy.ext.asyncio import async_sessionmaker
from uuid_utils.compat import uuid7

from bench.peers.classical.tables import Transfer, Wallet, create_engine
from bench.peers.classical.tasks import BROKER_VARIABLE, SEND_EMAIL, WRITE_AUDIT, create_celery
from schemas.settings import Settings

PATH = "/transfers"
POOL_SIZE = 16

Amount = Annotated[Decimal, Field(gt=0, max_digits=18, decimal_places=4)]


class NewTransfer(BaseModel):
    """What a client sends."""

    source_wallet_id: UUID
    destination_wallet_id: UUID
    amount: Amount
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")]


class Answer(BaseModel):
    """What it gets."""

    model_config = ConfigDict(from_attributes=True)

    transfer_id: UUID
    source_wallet_id: UUID
    destination_wallet_id: UUID
    amount: Decimal
    currency: str
    status: str
    reason: str | None


def create_app(settings: Settings, celery: Celery) -> FastAPI:
    """The app, with a pool of connections of its own."""
    engine = create_engine(settings, pool_size=POOL_SIZE)
    sessions = async_sessionmaker(engine, expire_on_commit=False)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        await engine.dispose()

    app = FastAPI(lifespan=lifespan)
    send_email, write_audit = celery.tasks[SEND_EMAIL], celery.tasks[WRITE_AUDIT]

    @app.post(PATH, status_code=201)
    async def create_transfer(body: NewTransfer) -> Answer:
        ids = (body.source_wallet_id, body.destination_wallet_id)
        async with sessions.begin() as session:
            # Always in the order of ids, so that requests wait in turn, and no version is ever found changed.
            found = await session.scalars(
                select(Wallet).where(Wallet.wallet_id.in_(ids)).order_by(Wallet.wallet_id).with_for_update()
            )
            wallets = {wallet.wallet_id: wallet for wallet in found}
            if len(wallets) != len(ids):
                raise HTTPException(404)
            transfer = _decide(body, wallets[body.source_wallet_id], wallets[body.destination_wallet_id])
            session.add(transfer)
        answer = Answer.model_validate(transfer)
        told = answer.model_dump(mode="json")
        send_email.delay(told)
        write_audit.delay(told)
        return answer

    return app


def _decide(body: NewTransfer, source: Wallet, destination: Wallet) -> Transfer:
    reason = None
    if not source.currency == destination.currency == body.currency:
        reason = "currency_mismatch"
    elif source.balance < body.amount:
        reason = "insufficient_funds"
    else:
        source.balance -= body.amount
        destination.balance += body.amount
    status = "COMPLETED" if reason is None else "FAILED"
    return Transfer(transfer_id=uuid7(), status=status, reason=reason, **body.model_dump())


def app_from_environment() -> FastAPI:
    """For ``uvicorn --factory``."""
    return create_app(Settings(), create_celery(os.environ[BROKER_VARIABLE]))
