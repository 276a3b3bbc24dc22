"""Durations counted in buckets, for percentiles of any number of them in bounded memory. Pure.

Each power of two of microseconds is cut into 32 buckets, so that a percentile is too high by at most a 32nd.
"""

from collections.abc import Mapping

_PARTS_BITS = 5
_PARTS = 1 << _PARTS_BITS
_MICROS_PER_S = 1_000_000


def bucket_of(duration_s: float) -> int:
    """The bucket that counts this duration; below zero, as clocks that disagree have it, counts as zero."""
    micros = max(0, int(duration_s * _MICROS_PER_S))
    if micros < _PARTS:
        return micros
    power = micros.bit_length() - 1 - _PARTS_BITS
    return (power + 1) * _PARTS + (micros >> power) - _PARTS


def upper_s(bucket: int) -> float:
    """The longest duration that this bucket counts."""
    if bucket < _PARTS:
        return bucket / _MICROS_PER_S
    power, part = divmod(bucket - _PARTS, _PARTS)
    return ((_PARTS + part + 1 << power) - 1) / _MICROS_PER_S


def percentiles_s(counts: Mapping[int, int], wanted: tuple[float, ...]) -> list[float] | None:
    """The duration that each wanted share, in percent and ascending, does not exceed; None where nothing is counted."""
    total = sum(counts.values())
    if not total:
        return None
    found: list[float] = []
    passed = 0
    for bucket in sorted(counts):
        passed += counts[bucket]
        while len(found) < len(wanted) and passed * 100 >= wanted[len(found)] * total:
            found.append(upper_s(bucket))
    return found
