"""Which versions of a wallet have been seen, in whatever order they come. Pure.

A wallet's outcomes are spread over partitions: what it pays is on its own, what it is paid on each payer's. So a
version may be seen before the ones below it. Kept are the highest version without a hole below it, and of what lies
ahead of it one bit each, in pieces that go as soon as the hole is filled: some 110 bytes a wallet, whatever is read.
"""

from collections.abc import Iterator
from typing import NamedTuple

_PIECE = 1024
"""Versions whose bits share an integer: small enough to be replaced for every new one."""


class Hole(NamedTuple):
    """Versions ``first`` to ``last`` of a wallet, which were not seen though a later one was."""

    wallet_id: str
    first: int
    last: int


class SeenVersions:
    """The versions that were noted, of any number of wallets."""

    def __init__(self) -> None:
        self._upto: dict[bytes, int] = {}
        self._ahead: dict[bytes, dict[int, int]] = {}

    def __len__(self) -> int:
        """How many wallets."""
        return len(self._upto)

    def note(self, wallet_id: str, version: int) -> bool:
        """Whether this version of the wallet is seen for the first time. Raises ValueError for what is no UUID."""
        wallet = bytes.fromhex(wallet_id.replace("-", ""))
        upto = self._upto.setdefault(wallet, 0)
        ahead = self._ahead.get(wallet)
        if version != upto + 1:
            return version > upto and self._note_ahead(wallet, version)
        self._upto[wallet] = version if ahead is None else self._close_up(wallet, ahead, version)
        return True

    def _note_ahead(self, wallet: bytes, version: int) -> bool:
        ahead = self._ahead.setdefault(wallet, {})
        piece, bit = divmod(version, _PIECE)
        bits = ahead.get(piece, 0)
        ahead[piece] = bits | 1 << bit
        return not bits >> bit & 1

    def _close_up(self, wallet: bytes, ahead: dict[int, int], upto: int) -> int:
        """Go on over what had come before it was due; the highest version without a hole below it."""
        while True:
            piece, bit = divmod(upto + 1, _PIECE)
            run = _trailing_ones(ahead.get(piece, 0) >> bit)
            upto += run
            if run < _PIECE - bit:
                break
            del ahead[piece]
        if ahead.get(piece, 0) >> bit + run == 0:
            ahead.pop(piece, None)
        if not ahead:
            del self._ahead[wallet]
        return upto

    def holes(self) -> Iterator[Hole]:
        """What was not seen of wallets of which something later was, by wallet and version."""
        for wallet in sorted(self._ahead):
            text = wallet.hex()
            wallet_id = "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))
            due = self._upto[wallet] + 1
            for first, last in _runs(self._ahead[wallet]):
                if first > due:
                    yield Hole(wallet_id, due, first - 1)
                due = max(due, last + 1)


def _trailing_ones(bits: int) -> int:
    return (~bits & bits + 1).bit_length() - 1


def _runs(ahead: dict[int, int]) -> Iterator[tuple[int, int]]:
    """First and last of each run of ones, in order; a run may end with its piece and go on in the next."""
    for piece in sorted(ahead):
        bits, number = ahead[piece], piece * _PIECE
        while bits:
            zeros = (bits & -bits).bit_length() - 1
            ones = _trailing_ones(bits >> zeros)
            yield number + zeros, number + zeros + ones - 1
            bits >>= zeros + ones
            number += zeros + ones
