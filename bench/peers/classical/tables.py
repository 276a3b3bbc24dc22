"""Its tables, and how it reaches them."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, ForeignKey, Numeric, String, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from schemas.settings import Settings

Money = Numeric(18, 4)


class Base(DeclarativeBase):
    """All of its tables."""


class Wallet(Base):
    """A balance. SQLAlchemy raises the version with every update, and refuses one of a row that has changed."""

    __tablename__ = "classical_wallets"

    wallet_id: Mapped[UUID] = mapped_column(primary_key=True)
    currency: Mapped[str] = mapped_column(String(3))
    balance: Mapped[Decimal] = mapped_column(Money)
    version: Mapped[int] = mapped_column(BigInteger)

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 (as SQLAlchemy wants it)


class Transfer(Base):
    """A transfer that was made or refused."""

    __tablename__ = "classical_transfers"

    transfer_id: Mapped[UUID] = mapped_column(primary_key=True)
    source_wallet_id: Mapped[UUID] = mapped_column(ForeignKey(Wallet.wallet_id), index=True)
    destination_wallet_id: Mapped[UUID] = mapped_column(ForeignKey(Wallet.wallet_id), index=True)
    amount: Mapped[Decimal] = mapped_column(Money)
    currency: Mapped[str] = mapped_column(String(3))
    status: Mapped[str]
    reason: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class AuditEntry(Base):
    """What a task has noted of a transfer."""

    __tablename__ = "classical_audit"

    entry_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    transfer_id: Mapped[UUID]
    content: Mapped[dict[str, Any]] = mapped_column(JSONB)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


def create_engine(settings: Settings, *, pool_size: int) -> AsyncEngine:
    """The engine of one process."""
    url = URL.create(
        "postgresql+asyncpg",
        settings.postgres_user,
        settings.postgres_password.get_secret_value(),
        settings.postgres_host,
        settings.postgres_port,
        settings.postgres_db,
    )
    options = {"ssl": settings.postgres_sslmode, "server_settings": {"jit": "off"}}
    return create_async_engine(url, pool_size=pool_size, max_overflow=0, connect_args=options)
