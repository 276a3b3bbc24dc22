"""Each example as a user would run it, against a whole site."""

import asyncio
import json
import re
import sys
from pathlib import Path

from api_calls import PASSWORD
from payers import wallet_with
from payment_site import ADMIN, PaymentSite
from private_words import assert_nothing_private

from hfts_client import AsyncClient
from schemas.codes import ProblemCode

ROOT = Path(__file__).parents[2]
TIMEOUT_S = 120


async def run(site: PaymentSite, *command: str) -> list[str]:
    """What it prints, line by line."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, env=site.environment(), stdout=pipe, stderr=pipe)
    output, errors = await asyncio.wait_for(process.communicate(), TIMEOUT_S)
    assert process.returncode == 0, errors.decode()
    return output.decode().splitlines()


async def test_curl(site: PaymentSite) -> None:
    *outcomes, entries = [json.loads(line) for line in await run(site, "bash", "-euo", "pipefail", "examples/curl.sh")]
    assert [(each["status"], each["amount"]) for each in outcomes] == [
        ("COMPLETED", "100.0000"),
        ("COMPLETED", "12.5000"),
        *(("COMPLETED", "1.0000"),) * 3,
    ]
    assert entries["data"][0]["balance"] == "84.5000"
    assert (len(entries["data"]), entries["has_more"]) == (5, False)


async def test_what_the_readme_goes_on_with(site: PaymentSite) -> None:
    blocks = re.findall(r"^```bash\n(.*?)^```$", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    going_on = [block for block in blocks if "$ADA" in block]
    assert len(going_on) == 3
    script = "\n".join(["source examples/curl.sh", *(f"echo; {block}" for block in going_on)])
    lines = await run(site, "bash", "-euo", "pipefail", "-c", script)
    hold = next(each for line in lines if line.startswith("{") and "hold_id" in (each := json.loads(line)))
    assert (hold["status"], hold["captured"], hold["voided"]) == ("captured", "20.0000", "10.0000")
    verdict = next(each for line in lines if line.startswith("{") and "verdict" in (each := json.loads(line)))
    assert verdict["reason"] == "insufficient_funds"
    assert json.loads(lines[-1])["is_all"]


async def test_the_python_client(site: PaymentSite) -> None:
    assert await run(site, sys.executable, "examples/client.py") == [
        "COMPLETED 12.5000 left: 87.5000",
        *(f"{number} COMPLETED" for number in range(3)),
        *("5 -1.0000 84.5000", "4 -1.0000 85.5000", "3 -1.0000 86.5000", "2 -12.5000 87.5000", "1 100.0000 100.0000"),
        f"404 wallet_not_found {ProblemCode.WALLET_NOT_FOUND.explanation}",
    ]


async def test_node(site: PaymentSite) -> None:
    assert await run(site, "node", "examples/node.mjs") == [
        "COMPLETED",
        "COMPLETED 12.5000 left: 87.5000",
        "FAILED insufficient_funds",
    ]


async def test_kcat(site: PaymentSite) -> None:
    async with AsyncClient(site.url, email=ADMIN, password=PASSWORD) as admin:
        source = await wallet_with(admin, admin, "10", "CHF")
        await admin.users.register("bob@example.com", PASSWORD)
        async with AsyncClient(site.url, email="bob@example.com", password=PASSWORD) as bob:
            destination = await wallet_with(admin, bob, "0", "CHF")
            (outcome,) = await run(site, "examples/kcat.sh", source, destination, "2.50", "CHF")
            told = json.loads(outcome)
            assert (told["status"], told["amount"], told["source_balance"]) == ("COMPLETED", "2.5000", "7.5000")
            sender = await admin.transfers.create(
                source_wallet_id=source, destination_wallet_id=destination, amount=1, currency="CHF"
            )
            requested = f"{site.settings.topic_prefix}transfers.requested"
            found = await run(
                site,
                "kcat",
                "-C",
                "-e",
                "-q",
                "-b",
                site.settings.kafka_bootstrap_servers,
                "-t",
                requested,
                "-f",
                "%p %k\n",
            )
            assert found.count(f"{sender.partition} {source}") == 2


async def test_consumers_and_what_no_record_tells_them(site: PaymentSite, tmp_path: Path) -> None:
    async with AsyncClient(site.url, email=ADMIN, password=PASSWORD) as admin:
        wallet = await wallet_with(admin, admin, "7", "NOK")
        paid = await admin.transfers.create(
            source_wallet_id=wallet,
            destination_wallet_id=(await admin.wallets.create("DKK")).wallet_id,
            amount=1,
            currency="NOK",
            wait=30,
        )
    assert paid.status == "FAILED"
    assert (await run(site, sys.executable, "examples/gaps.py", wallet)) == [
        "1 wallets, 1 versions without a gap, 0 wallets with one"
    ]
    *_, all_wallets = await run(site, sys.executable, "examples/gaps.py")
    assert all_wallets.endswith(" 0 wallets with one")
    copy = (sys.executable, "examples/consumers/consume.py", str(tmp_path / "outcomes.db"))
    first = await run(site, *copy)
    assert {line.split("'")[1] for line in first} == {"COMPLETED", "FAILED"}
    assert await run(site, *copy) == first
    await assert_nothing_private(site.settings, PASSWORD)


async def test_the_readme_in_python(site: PaymentSite) -> None:
    readme = (ROOT / "README.md").read_text().split("\n## From Python\n")[1]
    block = re.search(r"^```python\n(.*?)^```$", readme, re.MULTILINE | re.DOTALL)
    assert block
    async with AsyncClient(site.url, email=ADMIN, password=PASSWORD) as admin:
        source = await wallet_with(admin, admin, "100", "EUR")
        destination = (await admin.wallets.create("SEK")).wallet_id
        printed = await run(site, sys.executable, "-c", block[1], source, str(destination))
    assert printed == ["FAILED currency_mismatch"]
