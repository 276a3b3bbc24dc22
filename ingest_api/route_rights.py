"""The right that each route asks for. A route that is not in this table cannot be made, so that none goes undecided.

Beside it, routes on the things of others ask whether the caller may read, move or administer everything.
"""

from collections.abc import Iterable, Mapping

from starlette.routing import compile_path

from schemas.access import Right

RIGHT_OF_ROUTE: Mapping[str, Right] = {
    "GET /v1/me": Right.ACCOUNT_READ,
    "PUT /v1/me/password": Right.ACCOUNT_WRITE,
    "POST /v1/me/deactivate": Right.ACCOUNT_WRITE,
    "DELETE /v1/users/{user_id}/sessions": Right.ACCOUNT_WRITE,
    "GET /v1/notification-preferences": Right.ACCOUNT_READ,
    "PUT /v1/notification-preferences": Right.ACCOUNT_WRITE,
    "GET /v1/webhook": Right.ACCOUNT_READ,
    "PUT /v1/webhook": Right.ACCOUNT_WRITE,
    "DELETE /v1/webhook": Right.ACCOUNT_WRITE,
    "POST /v1/webhook/secret": Right.ACCOUNT_WRITE,
    "GET /v1/deliveries": Right.TRANSFERS_READ,
    "GET /v1/wallets": Right.WALLETS_READ,
    "POST /v1/wallets": Right.WALLETS_WRITE,
    "GET /v1/wallets/{wallet_id}": Right.WALLETS_READ,
    "GET /v1/wallets/{wallet_id}/entries": Right.WALLETS_READ,
    "GET /v1/wallets/{wallet_id}/balance": Right.WALLETS_READ,
    "GET /v1/wallets/{wallet_id}/statement": Right.WALLETS_READ,
    "GET /v1/wallets/{wallet_id}/pending": Right.WALLETS_READ,
    "POST /v1/wallets/{wallet_id}/close": Right.WALLETS_WRITE,
    "POST /v1/wallets/{wallet_id}/reopen": Right.ADMINISTER,
    "POST /v1/wallets/{wallet_id}/freeze": Right.ADMINISTER,
    "POST /v1/wallets/{wallet_id}/unfreeze": Right.ADMINISTER,
    "GET /v1/transfers": Right.TRANSFERS_READ,
    "POST /v1/transfers": Right.TRANSFERS_WRITE,
    "POST /v1/transfers/batch": Right.TRANSFERS_WRITE,
    "GET /v1/transfers/events": Right.TRANSFERS_READ,
    "GET /v1/transfers/{transfer_id}": Right.TRANSFERS_READ,
    "POST /v1/transfers/{transfer_id}/reversals": Right.TRANSFERS_WRITE,
    "POST /v1/reversals": Right.TRANSFERS_WRITE,
    "POST /v1/holds": Right.TRANSFERS_WRITE,
    "GET /v1/holds": Right.TRANSFERS_READ,
    "GET /v1/holds/{hold_id}": Right.TRANSFERS_READ,
    "POST /v1/holds/{hold_id}/capture": Right.TRANSFERS_WRITE,
    "POST /v1/holds/{hold_id}/void": Right.TRANSFERS_WRITE,
    "PUT /v1/wallets/{wallet_id}/limits": Right.ADMINISTER,
    "POST /v1/deposits": Right.DEPOSITS_WRITE,
    "GET /v1/users": Right.ADMINISTER,
    "GET /v1/users/{user_id}": Right.ADMINISTER,
    "PUT /v1/users/{user_id}/role": Right.ADMINISTER,
    "POST /v1/users/{user_id}/deactivate": Right.ADMINISTER,
    "POST /v1/users/{user_id}/reactivate": Right.ADMINISTER,
    "POST /v1/users/{user_id}/password-resets": Right.ADMINISTER,
    "GET /v1/password-resets": Right.ADMINISTER,
    "POST /v1/service-accounts": Right.ADMINISTER,
    "GET /v1/users/{user_id}/api-keys": Right.ADMINISTER,
    "POST /v1/users/{user_id}/api-keys": Right.ADMINISTER,
    "DELETE /v1/users/{user_id}/api-keys/{key_id}": Right.ADMINISTER,
}


def right_of_route(methods: Iterable[str], path: str) -> Right:
    """What the route asks for. Raises LookupError where nobody has decided it, or its methods differ."""
    _, path_format, _ = compile_path(path)
    rights = {RIGHT_OF_ROUTE.get(f"{method} {path_format}") for method in methods}
    [right] = rights if len(rights) == 1 else [None]
    if right is None:
        raise LookupError(f"decide who may use {' '.join(methods)} {path_format}, in ingest_api/route_rights.py")
    return right
