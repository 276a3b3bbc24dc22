"""The files that make up the page, read once: plain HTML, CSS and JavaScript modules, as they are written."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent / "page"
INDEX = "index.html"

_MEDIA_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


@dataclass(frozen=True, slots=True)
class PageFile:
    """A file's bytes, their kind, and a tag that changes with them (RFC 9110 section 8.8.3)."""

    content: bytes
    media_type: str
    etag: str


def page_files(folder: Path = FOLDER) -> dict[str, PageFile]:
    """All of them, by name. A file of another kind is no part of the page."""
    return {path.name: _page_file(path) for path in sorted(folder.iterdir()) if path.suffix in _MEDIA_TYPES}


def _page_file(path: Path) -> PageFile:
    content = path.read_bytes()
    tag = hashlib.sha256(content).hexdigest()[:32]
    return PageFile(content, _MEDIA_TYPES[path.suffix], f'"{tag}"')


def is_known(etag: str, if_none_match: str | None) -> bool:
    """Whether the client has it already: it named the tag, weak or strong, or any (RFC 9110 section 13.1.2)."""
    named = [tag.strip().removeprefix("W/") for tag in (if_none_match or "").split(",")]
    return etag in named or "*" in named
