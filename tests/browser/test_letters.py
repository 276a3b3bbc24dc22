"""Dead letters read, put back and set aside by hand."""

from browser_visit import Visit
from builders import a_request, new_id
from dead_letters import letter_record, states, write_letters
from pipeline_run import partition_of
from playwright.async_api import Locator, expect

from schemas.settings import Settings
from schemas.transfers import TransferRequest, encode_request


async def write_letter(settings: Settings, request: TransferRequest) -> None:
    """A letter of a request that nothing is wrong with any more."""
    key = request.source_wallet_id
    partition = partition_of(key, settings)
    record = letter_record(
        settings, 7, partition=partition, key=key.encode(), value=encode_request(request), cause="unprocessable"
    )
    await write_letters(settings, (partition, record))


async def listed(visit: Visit, transfer_id: str) -> Locator:
    """The letter's row, read anew."""
    await visit.page.get_by_role("button", name="Read again").click()
    row = visit.page.locator("#letter-rows tbody tr", has_text=transfer_id)
    await expect(row).to_be_visible()
    return row


async def test_a_letter_that_is_put_back_completes_its_transfer(visit: Visit) -> None:
    source, destination = visit.site.fleet.wallets[:2]
    request = a_request(source_wallet_id=source, destination_wallet_id=destination, amount="0.0101")
    await write_letter(visit.site.settings, request)
    await visit.enter()
    row = await listed(visit, request.transfer_id)
    await row.get_by_role("button", name="Read letter").click()
    dialog = visit.page.locator("#letter-dialog")
    await expect(dialog).to_contain_text("The ledger refuses this record alone")
    await expect(dialog.get_by_role("region", name="Value")).to_contain_text('"amount":"0.0101"')
    await dialog.locator("fieldset", has_text="Show the value as").get_by_text("Hex").click()
    await expect(dialog.get_by_role("region", name="Value")).to_contain_text("00000000  7b 22")
    await visit.picture("letter", whole=False)
    await dialog.get_by_role("button", name="Replay …").click()
    confirm = visit.page.locator("#confirm-dialog")
    await expect(confirm).to_contain_text("exactly once")
    await confirm.get_by_role("button", name="Replay", exact=True).click()
    await expect(visit.page.locator("#toast")).to_have_text("1 letter put back.")
    async with visit.site.worker():
        pass
    await visit.page.get_by_label("Transfer id").fill(request.transfer_id)
    await visit.page.get_by_role("button", name="Look up", exact=True).click()
    await expect(visit.page.locator("#transfer-result")).to_contain_text("COMPLETED")
    await expect(visit.page.locator("#transfer-result")).to_contain_text("0.0101 USD")


async def test_to_discard_asks_first_and_can_be_taken_back(visit: Visit) -> None:
    request = a_request()
    await write_letter(visit.site.settings, request)
    await visit.enter()
    page = visit.page
    row = await listed(visit, request.transfer_id)
    address = await row.locator("code").first.inner_text()
    confirm = page.locator("#confirm-dialog")
    await row.get_by_role("checkbox").check()
    await page.get_by_role("button", name="Discard …").click()
    await expect(confirm).to_contain_text(f"Discard letter {address}?")
    await confirm.get_by_role("button", name="Cancel").click()
    assert (await states(visit.site.settings))[address] == "open"
    await page.get_by_role("button", name="Discard …").click()
    await confirm.get_by_role("button", name="Discard", exact=True).click()
    await expect(confirm).to_be_visible()  # not without a reason
    await confirm.get_by_label("Why nobody needs them").fill("sent again under another id")
    await confirm.get_by_role("button", name="Discard", exact=True).click()
    await expect(page.locator("#toast")).to_have_text("1 letter discarded.")
    await expect(row).to_have_count(0)
    await page.get_by_label("State").select_option("discarded")
    await expect(row).to_be_visible()
    await row.get_by_role("button", name="Read letter").click()
    await expect(page.locator("#letter-dialog")).to_contain_text("by ops@example.com")
    await expect(page.locator("#letter-dialog")).to_contain_text("sent again under another id")
    await page.locator("#letter-dialog").get_by_role("button", name="Open again …").click()
    await confirm.get_by_role("button", name="Open again", exact=True).click()
    await expect(page.locator("#toast")).to_have_text("1 letter open again.")
    assert (await states(visit.site.settings))[address] == "open"


async def test_a_transfer_that_was_set_aside_is_found_among_the_letters(visit: Visit) -> None:
    request = a_request(source_wallet_id=new_id())
    await write_letter(visit.site.settings, request)
    await visit.enter(f"#transfer/{request.transfer_id}")
    await visit.page.get_by_role("button", name="Read dead letter").click()
    await expect(visit.page.locator("#letter-dialog")).to_contain_text(request.transfer_id)
