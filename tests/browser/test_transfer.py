"""A transfer looked up by its id."""

import asyncpg
from browser_visit import Visit, picture_path
from builders import new_id
from playwright.async_api import expect

STEPS = ["Request", "Ledger row", "Outcome", "Notifications", "Audit record"]


async def look_up(visit: Visit, transfer_id: str) -> None:
    await visit.page.get_by_label("Transfer id").fill(transfer_id)
    await visit.page.get_by_label("Transfer id").press("Enter")


async def some_row(connection: asyncpg.Connection) -> asyncpg.Record:
    row = await connection.fetchrow(
        "select transfer_id::text, request_partition, request_offset::text, amount::text from transfers limit 1"
    )
    assert row is not None
    return row


async def test_its_whole_path_is_shown(visit: Visit) -> None:
    row = await some_row(visit.site.connection)
    await visit.enter()
    await look_up(visit, row["transfer_id"])
    steps = visit.page.locator("#transfer-result .step")
    await expect(steps.locator("h3")).to_have_text(STEPS)
    for number in range(len(STEPS)):
        await expect(steps.nth(number)).to_have_attribute("data-state", "done")
    await expect(steps.nth(0)).to_contain_text(
        f"transfers.requested, partition {row['request_partition']}, offset {row['request_offset']}"
    )
    await expect(steps.nth(1)).to_contain_text(f"{float(row['amount']):,.4f} USD")
    await expect(steps.nth(2)).to_contain_text("says what the row says")
    await expect(steps.nth(3)).to_contain_text("handed out")
    await expect(steps.nth(4)).to_contain_text("the hash fits the record")
    await visit.page.locator("#transfer").screenshot(path=picture_path("transfer"))


async def test_what_was_never_sent_is_told_so(visit: Visit) -> None:
    await visit.enter()
    await look_up(visit, new_id())
    await expect(visit.page.locator("#transfer-result")).to_contain_text(
        "Its request may wait still, or was never sent"
    )
