"""Ids: UUIDs as lower-case hyphenated text (RFC 9562 section 4)."""

import uuid

UUID_PATTERN = r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"

_WORLD_NAMESPACE = uuid.UUID("6c1c52c5-54b9-4f9c-9b8e-6f1d3a4f5b60")


def world_wallet_id(currency: str) -> str:
    """The id of a currency's ``world`` wallet, the same in every installation, so that nobody has to look it up."""
    return str(uuid.uuid5(_WORLD_NAMESPACE, currency))
