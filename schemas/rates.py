"""What a wallet has paid in a minute, as it stands on ``transfers.rates``."""

import msgspec


class Rate(msgspec.Struct, kw_only=True, gc=False):
    """How many completed transfers a wallet has paid in a minute and a currency, and their sum.

    The last record of a wallet, currency and minute counts: it is written again as more transfers come.
    """

    wallet_id: str
    currency: str
    minute: str
    transfers: int
    volume: str


_ENCODER = msgspec.json.Encoder()


def encode_rate(rate: Rate) -> bytes:
    """The rate as it stands on the topic."""
    return _ENCODER.encode(rate)
