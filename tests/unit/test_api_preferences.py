"""For how long a client would rather wait (RFC 7240)."""

import pytest
from starlette.datastructures import Headers

from ingest_api.preferences import WAIT_S_MAX, wait_s_of


@pytest.mark.parametrize(
    ("lines", "wait_s"),
    [
        ((), 0),
        (("wait=7",), 7),
        (("WAIT = 7",), 7),
        (('wait="7"',), 7),
        (("respond-async, wait=7",), 7),
        (("return=minimal", "wait=7; a=b"), 7),
        (("wait=7, wait=9",), 7),
        (("wait=999999999",), WAIT_S_MAX),
        (("wait=0",), 0),
        (("wait",), 0),
        (("wait=",), 0),
        (("wait=-1",), 0),
        (("wait=1.5",), 0),
        (("wait=\u0663",), 0),
        (("wait=soon, wait=7",), 0),
        (("waiting=7",), 0),
        (("respond-async",), 0),
    ],
)
def test_seconds(lines: tuple[str, ...], wait_s: int) -> None:
    headers = Headers(raw=[(b"prefer", line.encode()) for line in lines])
    assert wait_s_of(headers) == wait_s
