"""What was seen of wallets, against a plain set of all that was noted."""

from collections import defaultdict
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from ops.audit.versions import Hole, SeenVersions

WALLETS = [str(UUID(int=number)) for number in (1, 2)]
NEAR = st.integers(1, 40)
AT_SEAMS = st.integers(1000, 1050) | st.integers(2040, 2060)


def holes_of(wallet_id: str, versions: set[int]) -> list[Hole]:
    holes, due = [], 1
    for version in sorted(versions):
        if version > due:
            holes.append(Hole(wallet_id, due, version - 1))
        due = version + 1
    return holes


@given(st.lists(st.tuples(st.sampled_from(WALLETS), NEAR | AT_SEAMS), max_size=120))
def test_holes_and_repeats_are_those_of_a_set(noted: list[tuple[str, int]]) -> None:
    seen, model = SeenVersions(), defaultdict[str, set[int]](set)
    for wallet_id, version in noted:
        assert seen.note(wallet_id, version) == (version not in model[wallet_id])
        model[wallet_id].add(version)
    assert len(seen) == len(model)
    assert list(seen.holes()) == [hole for wallet_id in WALLETS for hole in holes_of(wallet_id, model[wallet_id])]


@given(st.permutations(range(1, 60)).map(lambda order: [number + 1000 for number in order]))
def test_nothing_is_kept_once_the_last_hole_is_filled(versions: list[int]) -> None:
    seen = SeenVersions()
    for version in [*versions, *range(1000, 0, -1)]:
        assert seen.note(WALLETS[0], version)
    assert not list(seen.holes())
    assert not seen._ahead
