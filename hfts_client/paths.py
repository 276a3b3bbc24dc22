"""Where things are."""

TRANSFERS = "/v1/transfers"
DEPOSITS = "/v1/deposits"
HOLDS = "/v1/holds"
USERS = "/v1/users"
WALLETS = "/v1/wallets"
