"""What the page shows while the pipeline works, stands still, and works again."""

import re

from browser_visit import Visit
from payments import payments, send
from playwright.async_api import Locator, expect

A_POINT = re.compile("M")
COUNT = 120


def tile(visit: Visit, name: str) -> Locator:
    return visit.page.locator(".tile", has_text=name).locator(".value")


async def test_the_lag_rises_while_no_worker_runs_and_falls_when_one_is_back(visit: Visit) -> None:
    await visit.enter()
    waiting = tile(visit, "Waiting to be applied")
    await expect(waiting).to_have_text("0")
    await send(visit.site.settings, payments(visit.site.fleet, COUNT))
    # By offsets: where a letter was put back before, its transaction has left a marker between the records.
    await expect(waiting).to_have_text(re.compile(f"{COUNT}|{COUNT + 1}"))
    await expect(visit.page.locator(".tile", has_text="not yet applied")).to_contain_text(f"{COUNT} requests")
    await expect(tile(visit, "not yet applied")).to_contain_text("USD")
    await expect(visit.page.locator(".heat .cell:not([data-level='0'])").first).to_be_visible()
    worst = visit.page.locator("#worst button").first
    await expect(worst).to_contain_text("records")
    await worst.click()
    await expect(visit.page.locator("#partition-title")).to_contain_text("transfers.requested")
    await expect(visit.page.locator("#partition-chart-root .series")).to_have_attribute("d", A_POINT)
    await visit.picture("behind")
    async with visit.site.worker():
        await expect(waiting).to_have_text("0")
        await expect(visit.page.locator("#reasons")).to_contain_text("insufficient_funds")
        await expect(visit.page.locator("#wallets tbody tr")).to_have_count(10)
        await expect(tile(visit, "Latency")).to_contain_text("·")
        await expect(visit.page.locator("#worst-none")).to_have_text("No partition is behind.")


async def test_groups_can_be_chosen(visit: Visit) -> None:
    await visit.enter()
    await visit.page.get_by_role("tab", name="hfts-audit").click()
    await expect(visit.page.locator("#partition-count")).to_contain_text("transfers.outcomes")
    await expect(visit.page.locator(".heat .cell")).to_have_count(3)
    await visit.page.get_by_text("Waiting time").click()
    await expect(visit.page.locator("#heat-legend")).to_contain_text("30 s")


async def test_workers_and_their_partitions_are_shown_to_the_last_digit(visit: Visit) -> None:
    await visit.enter()
    row = visit.page.locator("#worker-rows tr", has_text="ledger-1")
    await expect(row).to_contain_text(re.compile(r"transfers 0.2;"))
    await expect(row).to_contain_text("9,007,199,254,740,993")
    await expect(row).to_contain_text("live")
