"""Signing in, staying so, and leaving."""

import re

import httpx2
from api_calls import PASSWORD
from browser_visit import Visit
from dashboard_site import OPERATOR, PLAIN_USER
from playwright.async_api import expect

A_LINE = re.compile("L")
REFRESH = "() => sessionStorage.getItem('hfts.ops.refresh')"


async def test_a_plain_user_is_refused(visit: Visit) -> None:
    await visit.open()
    await visit.sign_in(PLAIN_USER)
    await expect(visit.page.locator("#sign-in-fault")).to_contain_text("may not operate the pipeline")
    await expect(visit.page.locator("#board")).to_be_hidden()
    assert await visit.page.evaluate(REFRESH) is None


async def test_a_wrong_password_is_refused(visit: Visit) -> None:
    await visit.open()
    await visit.sign_in(OPERATOR, "not the password")
    await expect(visit.page.locator("#sign-in-fault")).to_contain_text("Check e-mail and password.")
    await visit.sign_in()
    await expect(visit.page.locator("#board")).to_be_visible()


async def test_a_reload_stays_signed_in_and_shows_what_was_before(visit: Visit) -> None:
    await visit.enter()
    line = visit.page.locator("#lag-chart .series")
    await expect(line).to_have_attribute("d", A_LINE)
    await visit.page.reload()
    await expect(visit.page.locator("#link-text")).to_have_text("live")
    await expect(line).to_have_attribute("d", A_LINE)
    await expect(visit.page.locator("#sign-in")).to_be_hidden()


async def test_whoever_leaves_leaves_nothing_behind(visit: Visit) -> None:
    await visit.enter()
    refresh = await visit.page.evaluate(REFRESH)
    await visit.page.get_by_role("button", name="Sign out").click()
    await expect(visit.page.locator("#sign-in")).to_be_visible()
    assert await visit.page.evaluate(REFRESH) is None
    assert await visit.page.locator("#letter-rows").inner_text() == ""
    async with httpx2.AsyncClient(base_url=visit.site.url) as client:
        form = {"grant_type": "refresh_token", "refresh_token": refresh}
        assert (await client.post("/v1/auth/token", data=form)).status_code == 401


async def test_an_expired_token_is_renewed_unseen(visit: Visit) -> None:
    """As after a quarter of an hour: the server has closed the stream, and the access token is good no more."""
    await visit.enter()
    granted: list[str] = []
    visit.page.on(
        "request", lambda request: granted.append(request.post_data or "") if "/token" in request.url else None
    )
    await visit.page.reload()
    await expect(visit.page.locator("#link-text")).to_have_text("live")
    assert [body.partition("&")[0] for body in granted] == ["grant_type=refresh_token"]
    assert PASSWORD not in "".join(granted)
