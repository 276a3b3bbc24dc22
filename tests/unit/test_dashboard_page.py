"""The page's files: what is sent with them, and that they ask nobody but us."""

import re
from pathlib import Path

import httpx2
import pytest
from hatchling.builders.wheel import WheelBuilder
from pydantic import SecretStr

from ingest_api.app import create_app
from ingest_api.extension import Extension
from ops.dashboard.page_files import FOLDER, page_files
from ops.dashboard.routes.page import page_router
from schemas.settings import Settings

ROOT = Path(__file__).parents[2]
FILES = page_files()
SETTINGS = Settings(postgres_password=SecretStr("none"), secret_key=SecretStr("none" * 8))


def client() -> httpx2.AsyncClient:
    app = create_app(SETTINGS, extension=Extension(routers=[page_router()]))
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://api")


async def test_the_page_is_served_with_a_strict_policy() -> None:
    async with client() as api:
        answer = await api.get("/ops")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize("name", FILES)
async def test_every_file_is_served_once(name: str) -> None:
    async with client() as api:
        first = await api.get(f"/ops/static/{name}")
        tag = first.headers["etag"]
        again = await api.get(f"/ops/static/{name}", headers={"If-None-Match": f'"other", W/{tag}'})
        other = await api.get(f"/ops/static/{name}", headers={"If-None-Match": '"other"'})
    assert (first.status_code, first.content) == (200, (FOLDER / name).read_bytes())
    assert first.headers["cache-control"] == "no-cache"
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert other.status_code == 200


@pytest.mark.parametrize("name", ["../page_files.py", "none.js", "%2e%2e%2fboard.py", ""])
async def test_nothing_else_is_served(name: str) -> None:
    async with client() as api:
        answer = await api.get(f"/ops/static/{name}")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_every_file_of_the_folder_is_part_of_the_page() -> None:
    assert set(FILES) == {path.name for path in FOLDER.iterdir()}


def test_nothing_comes_from_elsewhere() -> None:
    """The name space of SVG is a name, and no address that is asked."""
    for name, file in FILES.items():
        addresses = set(re.findall(r"(?:https?:)?//[a-z][\w.-]*\.[a-z]+[^\s\"']*", file.content.decode()))
        assert addresses <= {"http://www.w3.org/2000/svg"}, name


def test_nothing_is_inline_and_no_text_becomes_markup() -> None:
    page = FILES["index.html"].content.decode()
    assert not re.search(r"\son\w+=|\sstyle=|<style|javascript:", page)
    assert re.findall(r"<script(.*?)</script>", page, re.DOTALL) == [
        ' src="/ops/static/theme_early.js">',
        ' type="module" src="/ops/static/main.js">',
    ]
    for name, file in FILES.items():
        assert not re.search(
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(", file.content.decode()
        ), name


def test_every_named_file_is_there() -> None:
    for name, file in FILES.items():
        text = file.content.decode()
        named = re.findall(r"/ops/static/([\w.]+)", text) + re.findall(r'from "\./([\w.]+)"', text)
        assert set(named) <= set(FILES), name


def test_the_wheel_has_the_page() -> None:
    included = {found.distribution_path for found in WheelBuilder(str(ROOT)).recurse_included_files()}
    assert {f"ops/dashboard/page/{name}" for name in FILES} <= included
