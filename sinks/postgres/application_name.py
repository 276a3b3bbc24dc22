"""The name under which our processes connect. It tells everybody who migrates how new they are."""

import re

_NAME = re.compile(r"hfts(?: (\d+))?")


def application_name(schema_version: int) -> str:
    """That of a process whose newest migration has this number."""
    return f"hfts {schema_version}"


def schema_version_of(name: str | None) -> int | None:
    """The number of the newest migration that the process behind a connection knows, 0 if it does not say; None for a
    connection that is not ours."""
    match = _NAME.fullmatch(name or "")
    return None if match is None else int(match[1] or 0)
