import pytest

from sinks.sealing import BrokenSealError, Seal

NEW, OLD = "the newer secret " * 3, "the older secret " * 3
SECRET = b"32 bytes that sign what is sent."
OWNER, OTHER = "0190f5a4-0000-7000-8000-00000000000a", "0190f5a4-0000-7000-8000-00000000000b"


def seal(secret_key: str = NEW, *previous: str, purpose: str = "tests") -> Seal:
    return Seal(secret_key, previous, purpose=purpose)


def test_opens_what_it_closed_and_never_writes_the_same_twice() -> None:
    one, other = seal().close(SECRET, OWNER), seal().close(SECRET, OWNER)
    assert one != other
    assert SECRET not in one
    assert seal().open(one, OWNER) == SECRET


def test_another_key_takes_over() -> None:
    sealed = seal(OLD).close(SECRET, OWNER)
    assert seal(NEW, OLD).open(sealed, OWNER) == SECRET
    assert not seal(NEW, OLD).is_current(sealed)
    assert seal(NEW, OLD).is_current(seal(NEW).close(SECRET, OWNER))


@pytest.mark.parametrize(
    ("opening", "owner"),
    [(seal(), OTHER), (seal(OLD), OWNER), (seal(purpose="others"), OWNER)],
    ids=["owner", "key", "purpose"],
)
def test_stays_closed_for_another_owner_key_and_purpose(opening: Seal, owner: str) -> None:
    with pytest.raises(BrokenSealError):
        opening.open(seal().close(SECRET, OWNER), owner)


def test_stays_closed_when_altered_anywhere() -> None:
    sealed = seal().close(SECRET, OWNER)
    for place in range(len(sealed)):
        altered = bytearray(sealed)
        altered[place] ^= 1
        with pytest.raises(BrokenSealError):
            seal().open(bytes(altered), OWNER)


@pytest.mark.parametrize("kept", [0, 7, 8, 19, 20, 40])
def test_stays_closed_when_cut_off(kept: int) -> None:
    with pytest.raises(BrokenSealError):
        seal().open(seal().close(SECRET, OWNER)[:kept], OWNER)
