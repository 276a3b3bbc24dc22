"""Any history of several partitions, cut anywhere: what was told of it leads a restored ledger to the same end."""

from collections import deque

from builders import REQUESTED_AT, an_order
from hypothesis import given
from hypothesis import strategies as st

from sinks.errors import CannotFollowError
from sinks.ledger.types import Order, Transfer, WalletState
from streams.following import Candidate, Following, legs_of
from streams.rules import decide

PARTITIONS = 3
WALLETS = [f"00000000-0000-0000-0000-00000000000{digit}" for digit in range(4)]

States = dict[str, WalletState]

payments = st.lists(
    st.tuples(st.integers(0, PARTITIONS - 1), st.permutations(range(len(WALLETS))), st.integers(1, 600)), max_size=40
)


def begin() -> States:
    return {wallet_id: WalletState("USD", False, True, 1_000, 0) for wallet_id in WALLETS}


def committed(drawn: list[tuple[int, list[int], int]]) -> list[tuple[Order, Transfer, States]]:
    """Each order, in the order of their commits, what it came to, and the wallets before it."""
    states, offsets, found = begin(), [0] * PARTITIONS, []
    for partition, pair, units in drawn:
        source, destination = WALLETS[pair[0]], WALLETS[pair[1]]
        order = an_order(
            offsets[partition], units, partition=partition, source_wallet_id=source, destination_wallet_id=destination
        )
        offsets[partition] += 1
        [transfer], changed = decide([order], states, REQUESTED_AT)
        found.append((order, transfer, states))
        states = states | changed
    return found


def follow(
    states: States, progress: dict[int, int], told: dict[int, deque[Transfer]], untold: dict[int, deque[Candidate]]
) -> list[Transfer]:
    """As ``catch_up`` does it, with everything at hand."""
    following = Following(progress)
    following.learn(WALLETS, states)
    places = {(leg.wallet_id, leg.version) for queue in told.values() for t in queue for leg in legs_of(t)}
    while any(told.values()):
        before = following.rows
        for queue in told.values():
            while queue and following.take(queue[0]):
                queue.popleft()
        if following.rows == before:
            free = [c[0] for partition, c in untold.items() if c and not told[partition]]
            waiting = [queue[0] for queue in told.values() if queue]
            filled = following.fill(waiting, places, free, decide, REQUESTED_AT)
            if filled is None:
                raise CannotFollowError("nothing fits")
            untold[filled.partition].popleft()
    return following.work(REQUESTED_AT)[1].transfers


@given(drawn=payments, data=st.data())
def test_all_that_was_told_becomes_what_it_was(drawn: list[tuple[int, list[int], int]], data: st.DataObject) -> None:
    done = committed(drawn)
    restored = data.draw(st.integers(0, len(done)))
    states = done[restored][2] if restored < len(done) else begin()
    progress = {p: sum(order.partition == p for order, _, _ in done[:restored]) for p in range(PARTITIONS)}
    after = [transfer for _, transfer, _ in done[restored:]]
    told = {p: deque(t for t in after if t.request_partition == p) for p in range(PARTITIONS)}
    made = follow(states, progress, told, {}) if restored < len(done) else []
    assert sorted(made, key=lambda t: t.transfer_id) == sorted(after, key=lambda t: t.transfer_id)


@given(
    drawn=payments,
    restored=st.integers(0, 40),
    cuts=st.lists(st.integers(0, 3), min_size=PARTITIONS, max_size=PARTITIONS),
)
def test_what_was_committed_last_and_not_told_is_made_good_or_refused(
    drawn: list[tuple[int, list[int], int]], restored: int, cuts: list[int]
) -> None:
    done = committed(drawn)
    if restored >= len(done):
        return
    told: dict[int, deque[Transfer]] = {}
    untold: dict[int, deque[Candidate]] = {}
    for partition in range(PARTITIONS):
        rest = [(n, o, t) for n, (o, t, _) in enumerate(done) if n >= restored and o.partition == partition]
        kept = max(0, len(rest) - cuts[partition])
        told[partition] = deque(t for _, _, t in rest[:kept])
        untold[partition] = deque(Candidate(number, order) for number, order, _ in rest[kept:])
    expected = {t.transfer_id: t for queue in told.values() for t in queue}
    progress = {p: sum(order.partition == p for order, _, _ in done[:restored]) for p in range(PARTITIONS)}
    try:
        made = follow(done[restored][2], progress, told, untold)
    except CannotFollowError:
        # Of several that were not told it cannot always be found which came before what was. Then nobody guesses.
        assert sum(cuts) > 1
        return
    assert {t.transfer_id: t for t in made if t.transfer_id in expected} == expected
