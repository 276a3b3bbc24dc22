"""What a stage knows of its partitions."""

import asyncio

import pytest

from streams.stage import Positions


async def test_partitions_asked_for_twice_at_once_are_loaded_once() -> None:
    loads: list[list[int]] = []

    async def load(partitions: list[int]) -> dict[int, str]:
        loads.append(partitions)
        await asyncio.sleep(0)
        return dict.fromkeys(partitions, "loaded")

    positions: Positions[str] = Positions(load)
    both = await asyncio.gather(positions.loaded([1, 2]), positions.loaded([2, 3]))
    assert loads == [[1, 2], [3]]
    assert list(both) == [{1: "loaded", 2: "loaded"}, {2: "loaded", 3: "loaded"}]


async def test_what_was_taken_away_while_it_was_loaded_is_not_kept() -> None:
    async def load(partitions: list[int]) -> dict[int, str]:
        positions.forget([1])
        return dict.fromkeys(partitions, "old")

    positions: Positions[str] = Positions(load)
    assert await positions.loaded([1]) == {1: "old"}
    with pytest.raises(KeyError):
        positions.of([1])


async def test_a_partition_that_was_taken_away_is_loaded_anew() -> None:
    async def load(partitions: list[int]) -> dict[int, int]:
        return dict.fromkeys(partitions, 0)

    positions: Positions[int] = Positions(load)
    await positions.loaded([1, 2])
    positions.keep(1, 7)
    assert positions.of([1]) == {1: 7}
    positions.forget([1])
    with pytest.raises(KeyError):
        positions.of([1])
    assert await positions.loaded([1]) == {1: 0}
