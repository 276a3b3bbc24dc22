"""Transfers with the Python client. Needs the variables that `hfts env` prints, and two wallets are made.

set -a; source <(.venv/bin/hfts env); set +a
.venv/bin/python examples/client.py
"""

import os
from collections.abc import Iterator
from decimal import Decimal
from uuid import uuid4

from hfts_client import ApiError, Client, NewTransfer

URL = os.environ["API_URL"]


def main() -> None:
    """Open accounts, pay, pay many times, read."""
    with (
        Client(URL) as anyone,
        Client(URL, email=os.environ["ADMIN_EMAIL"], password=os.environ["ADMIN_PASSWORD"]) as admin,
        _person(anyone, "ada") as ada,
        _person(anyone, "bob") as bob,
    ):
        source, destination = ada.wallets.create("EUR").wallet_id, bob.wallets.create("EUR").wallet_id
        admin.deposits.create(wallet_id=source, amount=100, currency="EUR", wait=30)

        # Sent again by itself, under one key, until there is an answer. A transfer that FAILED is an answer, too.
        paid = ada.transfers.create(
            source_wallet_id=source,
            destination_wallet_id=destination,
            amount=Decimal("12.50"),
            currency="EUR",
            reference="lunch",
            wait=30,
        )
        print(paid.status, paid.amount, "left:", paid.source_balance)

        # Any number of transfers, read as they are needed; a result for each, in order.
        def coffees() -> Iterator[NewTransfer]:
            for _ in range(3):
                yield NewTransfer(
                    source_wallet_id=source, destination_wallet_id=destination, amount="1.00", currency="EUR"
                )

        for result in ada.transfers.batch(coffees()):
            print(result.index, result.error or ada.transfers.wait(result.accepted or "").status)

        for entry in ada.wallets.entries(source):
            print(entry.version, entry.amount, entry.balance)

        try:
            ada.wallets.retrieve(destination)
        except ApiError as error:
            print(error.status, error.code, error.detail)


def _person(anyone: Client, name: str) -> Client:
    email, password = f"{name}-{uuid4()}@example.com", str(uuid4())
    anyone.users.register(email, password)
    return Client(URL, email=email, password=password)


if __name__ == "__main__":
    main()
