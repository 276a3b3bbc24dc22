"""Where things are."""

TRANSFERS = "/v1/transfers"
DEPOSITS = "/v1/deposits"
HOLDS = "/v1/holds"
WALLETS = "/v1/wallets"
