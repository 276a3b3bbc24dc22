"""One visit to the dashboard in a browser."""

import os
from dataclasses import dataclass, field
from pathlib import Path

from api_calls import PASSWORD
from dashboard_site import OPERATOR, Site
from playwright.async_api import ConsoleMessage, Page, Request, expect

PICTURES = Path(os.environ.get("SCREENSHOTS", "build/screenshots"))


def picture_path(name: str) -> Path:
    """Where a picture is kept for whoever wants to see it."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    return PICTURES / f"{name}.png"


@dataclass
class Visit:
    """A page, and all that it asked for and complained of."""

    page: Page
    site: Site
    asked: set[str] = field(default_factory=set)
    complaints: list[str] = field(default_factory=list)

    def listen(self) -> None:
        """From now on."""
        self.page.on("request", self._asked)
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    async def open(self, fragment: str = "") -> None:
        """Load the page."""
        await self.page.goto(f"{self.site.url}/ops{fragment}")

    async def sign_in(self, email: str = OPERATOR, password: str = PASSWORD) -> None:
        """Fill in the form and send it."""
        await self.page.get_by_label("E-mail").fill(email)
        await self.page.get_by_label("Password").fill(password)
        await self.page.get_by_role("button", name="Sign in").click()

    async def enter(self, fragment: str = "") -> None:
        """Load the page, sign in and see the first event."""
        await self.open(fragment)
        await self.sign_in()
        await expect(self.page.locator("#link-text")).to_have_text("live")

    async def picture(self, name: str, *, whole: bool = True) -> None:
        """Keep what it looks like, all of it or what is seen at once."""
        if whole:
            await self.page.evaluate("scrollTo(0, 0)")
        await self.page.screenshot(path=picture_path(name), full_page=whole)

    def _asked(self, request: Request) -> None:
        self.asked.add(request.url)

    def _said(self, message: ConsoleMessage) -> None:
        # The browser itself says so of every answer of 400 and above; what is refused, tests of their own see to.
        if message.type in {"error", "warning"} and "Failed to load resource" not in message.text:
            self.complaints.append(message.text)
