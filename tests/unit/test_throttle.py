import pytest
from fake_people import FakeAttempts

from ingest_api.problems import ProblemError
from ingest_api.throttle import Throttle, network_of
from tests.unit.conftest import SECRET_KEY


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("", ""),
        ("unix:/socket", "unix:/socket"),
    ],
)
def test_what_counts_as_one_client(address: str, network: str) -> None:
    assert network_of(address) == network


async def test_neither_accounts_nor_addresses_are_stored() -> None:
    attempts = FakeAttempts()
    throttle = Throttle(attempts, SECRET_KEY, account_max=3, address_per_minute=10)
    await throttle.admit_login("\ud800 ada@example.com", "192.0.2.1")
    await throttle.admit_registration("192.0.2.1")
    assert len(attempts.counts) == 3
    assert all(len(key) == 32 and b"ada" not in key and b"192" not in key for key in attempts.counts)


async def test_logins_and_registrations_are_counted_apart() -> None:
    throttle = Throttle(FakeAttempts(), SECRET_KEY, account_max=3, address_per_minute=1)
    await throttle.admit_registration("192.0.2.1")
    await throttle.admit_login("ada@example.com", "192.0.2.1")
    await throttle.admit_registration("192.0.2.2")
    with pytest.raises(ProblemError) as caught:
        await throttle.admit_registration("192.0.2.1")
    assert (caught.value.status_code, caught.value.headers) == (
        429,
        {"Retry-After": "60", "RateLimit-Policy": '"address";q=1;w=60'},
    )
