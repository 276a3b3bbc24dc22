import pytest

from ops.own_json import loads_own
from schemas.strict_json import loads_strict


@pytest.mark.parametrize(
    "raw",
    [b'{"a":"1.0000","b":[1,null,true],"c":"\xc3\xa4"}', b'{ "a": 1 }', b'{"a":"\\u00e4"}', b'{"a":1e2}', b"9" * 30],
)
def test_it_reads_what_the_strict_reading_reads(raw: bytes) -> None:
    assert loads_own(raw) == loads_strict(raw)


@pytest.mark.parametrize("raw", [b"", b"{", b"\xff", b'{"a":1,"a":1}', b'{"a":{"b":1,"b":2}}', b"NaN", b"[" * 100_000])
def test_it_refuses_what_the_strict_reading_refuses(raw: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        loads_own(raw)
