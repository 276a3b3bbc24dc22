"""Foreign bytes and texts in a form that is safe on a terminal: a letter may hold anything."""

from collections.abc import Iterator

_HEX_COLUMNS = 16


def plain(text: str, keep: str = "") -> str:
    """The text with every character that a terminal could act on written as an escape, but those in ``keep``."""
    return "".join(c if c.isprintable() or c in keep else c.encode("unicode_escape").decode() for c in text)


def shown_bytes(raw: bytes | None) -> Iterator[str]:
    """Lines: printable text as it is, anything else as a hex dump of offset, bytes and ASCII."""
    if raw is None:
        yield "(none)"
    elif not raw:
        yield "(empty)"
    elif (text := printable(raw)) is not None:
        yield text
    else:
        yield from hex_dump(raw)


def hex_dump(raw: bytes) -> Iterator[str]:
    """Sixteen bytes a line."""
    for start in range(0, len(raw), _HEX_COLUMNS):
        row = raw[start : start + _HEX_COLUMNS]
        shown = "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in row)  # noqa: PLR2004 (printable ASCII)
        yield f"{start:08x}  {row.hex(' '):<{3 * _HEX_COLUMNS - 1}}  {shown}"


def printable(raw: bytes) -> str | None:
    """The bytes as text, where they are text and nothing in it is for a terminal to act on."""
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return None
    return text if plain(text, keep="\n\t") == text else None
