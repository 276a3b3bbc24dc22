"""People with wallets and money in them, and what they pay, through the Python client."""

from api_calls import PASSWORD

from hfts_client import AsyncClient, Transfer

WAIT_S = 120.0


async def wallet_with(admin: AsyncClient, client: AsyncClient, amount: str, currency: str = "EUR") -> str:
    """A new wallet of the client's account, with money in it."""
    wallet = await client.wallets.create(currency)
    if amount != "0":
        paid = await admin.deposits.create(wallet_id=wallet.wallet_id, amount=amount, currency=currency, wait=WAIT_S)
        assert paid.status == "COMPLETED"
    return str(wallet.wallet_id)


async def deposit_and_pay(url: str, email: str, password: str) -> Transfer:
    """An admin deposits 10 USD to Ada, who pays 4 to Bob: both new here. What became of the payment."""
    emails = ("ada@example.com", "bob@example.com")
    async with (
        AsyncClient(url, email=email, password=password) as admin,
        AsyncClient(url, email=emails[0], password=PASSWORD) as ada,
        AsyncClient(url, email=emails[1], password=PASSWORD) as bob,
    ):
        for address in emails:
            await admin.users.register(address, PASSWORD)
        source, destination = await wallet_with(admin, ada, "10", "USD"), await wallet_with(admin, bob, "0", "USD")
        return await ada.transfers.create(
            source_wallet_id=source, destination_wallet_id=destination, amount=4, currency="USD", wait=WAIT_S
        )
