"""Where the money of a wallet waits while it is held: a wallet of its own, whose id follows from the wallet's."""

from uuid_utils import UUID, uuid5

HOLD_NAMESPACE = UUID("8f2f6d0e-5a0c-5d3b-9c51-6c1f0d7a4e21")
"""The id of wallet W's hold wallet is the name-based UUID (RFC 9562, version 5) of W, as lower-case text, in this
namespace, so that whoever writes requests to Kafka can compute it."""


def hold_wallet_id(wallet_id: str) -> str:
    """The id of a wallet's hold wallet: its balance is what the wallet has held, and no longer available."""
    return str(uuid5(HOLD_NAMESPACE, wallet_id))
