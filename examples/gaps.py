"""Proves that nothing is missing of all wallets, or of those named: the versions of each are 1, 2, 3, … without a gap.

set -a; source <(.venv/bin/hfts env); set +a
.venv/bin/python examples/gaps.py [WALLET_ID …]
"""

import asyncio
import json
import os
import sys
from collections import defaultdict

from aiokafka import AIOKafkaConsumer

TOPIC = os.environ.get("TOPIC_PREFIX", "") + "transfers.outcomes"


async def main(wanted: set[str]) -> None:
    """Read all outcomes up to now. A wallet's are on several partitions: a version may come before the one below it."""
    upto, ahead = defaultdict[str, int](int), defaultdict[str, set[int]](set)
    servers = os.environ["KAFKA_BOOTSTRAP_SERVERS"].split(",")
    async with AIOKafkaConsumer(
        TOPIC,
        bootstrap_servers=servers,
        isolation_level="read_committed",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    ) as consumer:
        for partition, end in (await consumer.end_offsets(consumer.assignment())).items():
            while await consumer.position(partition) < end:
                records = (await consumer.getmany(partition, timeout_ms=200)).get(partition, [])
                for outcome in (json.loads(record.value) for record in records):
                    for party in ("source", "destination") if outcome["status"] == "COMPLETED" else ():
                        wallet, version = outcome[f"{party}_wallet_id"], outcome[f"{party}_version"]
                        ahead[wallet].add(version)
                        while upto[wallet] + 1 in ahead[wallet]:
                            upto[wallet] += 1
                            ahead[wallet].remove(upto[wallet])
    found = {wallet: upto[wallet] for wallet in upto if not wanted or wallet in wanted}
    gaps = {wallet: min(ahead[wallet]) for wallet in found if ahead[wallet]}
    for wallet, version in gaps.items():
        print(f"{wallet} is complete up to {upto[wallet]}, then nothing until {version}")
    print(f"{len(found)} wallets, {sum(found.values())} versions without a gap, {len(gaps)} wallets with one")
    sys.exit(1 if gaps or wanted - found.keys() else 0)


if __name__ == "__main__":
    asyncio.run(main(set(sys.argv[1:])))
