"""The pages of documentation: all from our own host, under a strict policy, and what stands in them is text."""

import re
from collections import Counter
from copy import deepcopy
from html.parser import HTMLParser
from pathlib import Path

import jsonschema_rs
import pytest
from hatchling.builders.wheel import WheelBuilder

from ingest_api.routes.docs import OURS
from ingest_api.topics_page import topics_page
from schemas.asyncapi import asyncapi
from schemas.message_schemas import value_schemas
from schemas.topics import ALL_TOPICS, TRANSFERS_RATES
from tests.unit.conftest import Api

ROOT = Path(__file__).parents[2]
PAGES = ("/docs", "/redoc", "/docs/topics")


class Elements(HTMLParser):
    """The elements of a page, with their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def values(self, name: str) -> list[str]:
        return [value for _, attributes in self.found if (value := attributes.get(name)) is not None]


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_asks_nobody_but_us(api: Api, path: str) -> None:
    answer = await api.client.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; ")
    assert "http" not in policy
    assert "'unsafe-inline'" not in policy or path != "/docs/topics"
    assert answer.headers["x-content-type-options"] == "nosniff"
    elements = Elements(answer.text)
    assert not {"style"} & {tag for tag, _ in elements.found}
    assert elements.values("style") + elements.values("onclick") == []
    for address in elements.values("src") + elements.values("href"):
        assert "//" not in address
        if not address.startswith("#"):
            found = await api.client.get(str(answer.url.join(address)))
            assert found.status_code == 200, address


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("swagger-ui-bundle.js", "text/javascript; charset=utf-8"),
        ("redoc.standalone.js", "text/javascript; charset=utf-8"),
        ("swagger-ui.css", "text/css; charset=utf-8"),
        ("topics.css", "text/css; charset=utf-8"),
        ("favicon.png", "image/png"),
    ],
)
async def test_files_are_kept_for_an_hour(api: Api, name: str, kind: str) -> None:
    answer = await api.client.get(f"/docs/static/{name}")
    assert (answer.status_code, answer.headers["content-type"]) == (200, kind)
    assert answer.headers["cache-control"] == "public, max-age=3600"
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("name", ["../swagger.html", "swagger.html", "none.js", "%2e%2e%2fopenapi.py"])
async def test_nothing_else_is_served(api: Api, name: str) -> None:
    answer = await api.client.get(f"/docs/static/{name}")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_every_topic_and_field_stands_on_the_page(api: Api) -> None:
    text = (await api.client.get("/docs/topics")).text
    headings = re.findall(r'<h2 id="[\w-]+">(.*?)</h2>', text)
    assert headings == [topic.name for topic in (*ALL_TOPICS, TRANSFERS_RATES)]
    for schema in value_schemas().values():
        assert all(f"<code>{name}</code></th>" in text for name in schema["properties"])


async def test_the_page_can_be_read_aloud(api: Api) -> None:
    elements = Elements((await api.client.get("/docs/topics")).text)
    ids = Counter(elements.values("id"))
    assert set(ids.values()) == {1}
    assert set(elements.values("aria-labelledby")) <= ids.keys()
    assert {value.removeprefix("#") for value in elements.values("href") if value.startswith("#")} <= ids.keys()
    assert ("html", {"lang": "en"}) in elements.found
    tags = Counter(tag for tag, _ in elements.found)
    assert (tags["h1"], tags["main"], tags["table"], tags["caption"]) == (1, 1, 12, 12)
    assert all("scope" in attributes for tag, attributes in elements.found if tag == "th")


def test_what_stands_in_the_document_is_text() -> None:
    document = deepcopy(asyncapi("1.2.3"))
    document["info"]["description"] = document["channels"]["audit"]["summary"] = "<script>alert(1)</script> `<b>`"
    page = topics_page(document)
    assert "<script" not in page
    assert "<b>" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt; <code>&lt;b&gt;</code>" in page


async def test_the_same_for_programs(api: Api) -> None:
    document = (await api.client.get("/asyncapi.json")).json()
    assert document["asyncapi"] == "3.0.0"
    payload = document["components"]["messages"]["transfer-request"]["payload"]
    assert jsonschema_rs.is_valid(
        payload, document["components"]["messages"]["transfer-request"]["examples"][0]["payload"]
    )


def test_the_wheel_has_the_pages() -> None:
    included = {found.distribution_path for found in WheelBuilder(str(ROOT)).recurse_included_files()}
    assert {f"ingest_api/docs_pages/{path.name}" for path in OURS.iterdir()} <= included
