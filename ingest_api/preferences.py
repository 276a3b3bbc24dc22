"""What a client would rather have (RFC 7240): of all preferences, for how long it wants to wait."""

import re

from starlette.datastructures import Headers

PREFER = "Prefer"
APPLIED = "Preference-Applied"

WAIT_S_MAX = 30
"""Longer than an outcome takes on any day that is worth waiting on, and shorter than proxies wait."""

WAITED_KEY = "hfts.waited"
"""Where the ASGI scope says that a request took its time because its client wanted that."""

_WAIT = re.compile(r'wait\s*=\s*(?:"([0-9]{1,9})"|([0-9]{1,9}))', re.IGNORECASE | re.ASCII)

PREFER_PARAMETER = {
    "name": PREFER,
    "in": "header",
    "required": False,
    "schema": {"type": "string", "pattern": "^wait=[0-9]{1,9}$", "examples": ["wait=10"]},
    "description": (
        f"`wait=SECONDS` (RFC 7240): answer 200 with the outcome as soon as there is one; 202 if that takes longer, "
        f"or longer than {WAIT_S_MAX} s. `Preference-Applied` says for how long it was waited for at most."
    ),
}
"""The header as OpenAPI has it."""

APPLIED_HEADER = {
    APPLIED: {
        "description": "There if it was waited: for so many seconds at most.",
        "schema": {"type": "string", "pattern": "^wait=[0-9]+$"},
    }
}
"""That of an answer, likewise."""


def wait_s_of(headers: Headers) -> int:
    """For how many seconds the client wants to wait at most, up to our own limit; 0 where it does not.

    Only the first such preference counts, and what is malformed is none (RFC 7240 section 2).
    """
    for line in headers.getlist(PREFER):
        for preference in line.split(","):
            name = preference.partition(";")[0].strip()
            if name.lower().partition("=")[0].strip() == "wait":
                found = _WAIT.fullmatch(name)
                return min(int(found[1] or found[2]), WAIT_S_MAX) if found else 0
    return 0
