"""Which of the forms on offer a client prefers (RFC 9110 section 12.5.1). Pure."""

import re
from collections.abc import Sequence

_QUALITY = re.compile(r"q\s*=\s*(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)", re.IGNORECASE)


def preferred(accept: str, offered: Sequence[str]) -> str | None:
    """The media type of ``offered`` that ``accept`` likes best, the first of equals; None where it likes none.

    Of ranges that match, the most specific counts. No header is one that takes everything.
    """
    if not accept.strip():
        return offered[0]
    ranges = [_parse(part) for part in accept.split(",") if part.strip()]
    ranked = [(_quality(media_type, ranges), media_type) for media_type in offered]
    best = max(quality for quality, _ in ranked)
    return next(media_type for quality, media_type in ranked if quality == best) if best > 0 else None


def _parse(part: str) -> tuple[str, float]:
    name, *parameters = (piece.strip() for piece in part.split(";"))
    found = [match[1] for piece in parameters if (match := _QUALITY.fullmatch(piece))]
    return name.lower(), float(found[0]) if found else 1.0


def _quality(media_type: str, ranges: Sequence[tuple[str, float]]) -> float:
    for name in (media_type, media_type.partition("/")[0] + "/*", "*/*"):
        for accepted, quality in ranges:
            if accepted == name:
                return quality
    return 0.0
