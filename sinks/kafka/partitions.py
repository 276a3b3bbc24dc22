"""Which partition a wallet's records go to."""

from functools import lru_cache

from aiokafka.partitioner import murmur2

REMEMBERED_MAX = 100_000
"""The hash takes 5 µs in Python; wallets come again."""

_remembered = lru_cache(REMEMBERED_MAX)(murmur2)


def partition_of(key: bytes, partitions: int) -> int:
    """Where every Kafka client's default partitioner puts this key."""
    return int((_remembered(key) & 0x7FFFFFFF) % partitions)
