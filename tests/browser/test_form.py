"""What the page is like to use: by keyboard, on a phone, in the dark, and with hundreds of partitions."""

from typing import Any

import pytest
from api_calls import PASSWORD
from browser_visit import Visit
from builders import a_request
from dashboard_site import OPERATOR
from dead_letters import letter_record, write_letters
from made_up_events import BEYOND_2_53, event_stream
from playwright.async_api import Route, expect

from schemas.transfers import encode_request

PARTITIONS = 500
NODES_MAX = 1_100
"""500 boxes, and what there is beside them."""

FOCUS = "() => document.activeElement.textContent.trim() || document.activeElement.id"
COUNT_CHANGES = """() => {
  window.changes = 0;
  new MutationObserver((found) => { window.changes += found.length; })
    .observe(document.body, { subtree: true, childList: true, attributes: true, characterData: true });
}"""


async def feed(visit: Visit, lags: list[int]) -> None:
    """Answer each connection of the page with the next of these, and the last one for ever."""

    async def answer(route: Route) -> None:
        lag = lags.pop(0) if len(lags) > 1 else lags[0]
        body = event_stream(PARTITIONS, lag=lag)
        await route.fulfill(status=200, content_type="text/event-stream", body=body)

    await visit.page.route("**/ops/events", answer)


async def test_hundreds_of_partitions_are_drawn_at_little_cost(visit: Visit) -> None:
    await feed(visit, [1, 1])
    await visit.open()
    await visit.sign_in()
    cells = visit.page.locator("#heat .cell")
    await expect(cells).to_have_count(PARTITIONS)
    assert await visit.page.evaluate("document.querySelectorAll('*').length") <= NODES_MAX
    await expect(visit.page.locator("#heat .cell[data-level='5']")).to_have_count(PARTITIONS // 5)
    await visit.picture("partitions-500")
    # What has not changed is not written again; what has, once.
    await visit.page.evaluate(COUNT_CHANGES)
    async with visit.page.expect_request("**/ops/events"):
        pass
    async with visit.page.expect_request("**/ops/events"):
        pass
    assert await visit.page.evaluate("window.changes") < PARTITIONS / 2
    await feed(visit, [10])
    await expect(visit.page.locator("#heat .cell[data-level='5']")).to_have_count(2 * PARTITIONS // 5)
    assert await visit.page.evaluate("window.changes") < 2 * PARTITIONS


async def test_no_digit_is_lost(visit: Visit) -> None:
    await feed(visit, [1])
    await visit.open()
    await visit.sign_in()
    await visit.page.locator("#heat .cell").nth(1).click()
    await expect(visit.page.locator("#partition-facts")).to_contain_text(str(BEYOND_2_53 + 1))
    await expect(visit.page.locator("#partition-facts")).to_contain_text(str(BEYOND_2_53 + 11))
    await expect(visit.page.locator("#tiles")).to_contain_text("99,999,999,999,999.9999 USD")
    await expect(visit.page.locator("#tiles")).to_contain_text("9,007,199,254,740,993 in the last minute")


async def test_everything_can_be_done_by_keyboard(visit: Visit) -> None:
    page, press = visit.page, visit.page.keyboard.press
    source, destination = visit.site.fleet.wallets[:2]
    value = encode_request(a_request(source_wallet_id=source, destination_wallet_id=destination))
    await write_letters(visit.site.settings, (0, letter_record(visit.site.settings, 5, partition=0, value=value)))
    await visit.open()
    await expect(page.get_by_label("E-mail")).to_be_focused()
    await page.keyboard.type(OPERATOR)
    await press("Tab")
    await page.keyboard.type(PASSWORD)
    await press("Enter")
    await expect(page.locator("#link-text")).to_have_text("live")
    await page.reload()
    await expect(page.locator("#link-text")).to_have_text("live")
    await press("Tab")
    assert await page.evaluate(FOCUS) == "Skip to the content"
    outline = await page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid", "where one is can be seen"
    await press("Enter")
    await press("Tab")
    # The first thing in the content: how partitions are coloured.
    assert await page.evaluate("document.activeElement.name") == "colour-by"
    await press("Tab")
    assert "hfts-transfers" in await page.evaluate(FOCUS)
    await press("ArrowRight")
    await expect(page.get_by_role("tab", name="hfts-notifications")).to_be_focused()
    await expect(page.locator("#partition-count")).to_contain_text("transfers.outcomes")
    await press("Tab")
    await press("ArrowRight")
    await press("End")
    label = await page.evaluate("document.activeElement.getAttribute('aria-label')")
    assert label.startswith("Partition 2:")
    await press("Enter")
    await expect(page.locator("#partition-title")).to_contain_text("Partition 2 of ")
    await expect(page.locator("#heat .cell").nth(2)).to_have_attribute("aria-selected", "true")
    # A chart is read with the arrow keys.
    await page.locator("#lag-chart [role=img]").focus()
    await press("ArrowLeft")
    await expect(page.locator("#lag-chart .tip")).to_contain_text("waiting: ")
    await press("Escape")
    await expect(page.locator("#lag-chart .tip")).to_be_hidden()
    # A dialog keeps the focus, ends with Escape, and gives the focus back.
    read = page.get_by_role("button", name="Read letter").first
    await read.focus()
    await press("Enter")
    await expect(page.locator("#letter-dialog")).to_be_visible()
    assert await page.evaluate("document.activeElement.closest('dialog')?.id") == "letter-dialog"
    await press("Escape")
    await expect(page.locator("#letter-dialog")).to_be_hidden()
    await expect(read).to_be_focused()


async def test_a_phone_needs_no_scrolling_sideways(visit: Visit) -> None:
    await visit.page.set_viewport_size({"width": 360, "height": 780})
    await visit.open()
    assert await width(visit) <= 360
    await visit.sign_in()
    await expect(visit.page.locator("#link-text")).to_have_text("live")
    transfer = await visit.site.connection.fetchval("select transfer_id::text from transfers limit 1")
    await visit.page.get_by_label("Transfer id").fill(transfer)
    await visit.page.get_by_role("button", name="Look up", exact=True).click()
    await expect(visit.page.locator(".step")).to_have_count(5)
    assert await width(visit) <= 360
    await visit.picture("phone")


async def width(visit: Visit) -> Any:
    return await visit.page.evaluate("document.documentElement.scrollWidth")


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_it_is_dark_or_light_as_one_likes(visit: Visit, scheme: Any) -> None:
    await visit.page.emulate_media(color_scheme=scheme)
    await visit.enter()
    background = "getComputedStyle(document.body).backgroundColor"
    by_system = await visit.page.evaluate(background)
    assert (sum(map(int, by_system[4:-1].split(", "))) < 128) == (scheme == "dark")
    await visit.picture(scheme)
    other = "light" if scheme == "dark" else "dark"
    await visit.page.locator("#theme").select_option(other)
    chosen = await visit.page.evaluate(background)
    assert chosen != by_system
    await visit.page.reload()
    await expect(visit.page.locator("#link-text")).to_have_text("live")
    assert await visit.page.evaluate(background) == chosen
