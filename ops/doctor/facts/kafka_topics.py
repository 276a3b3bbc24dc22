"""Topics by Kafka's account: which there are, and who has their partitions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from aiokafka.errors import NoError, UnknownTopicOrPartitionError, for_code
from aiokafka.protocol.metadata import MetadataRequest

from ops.doctor.facts.kafka_values import Ask
from ops.doctor.finding import Unknown

GROUP_OFFSETS, TRANSACTIONS = "__consumer_offsets", "__transaction_state"
"""Kafka's own topics for what groups have committed and for who holds a transactional id."""

NO_TOPICS = Unknown("the topics must be made first")


@dataclass(frozen=True, slots=True)
class Partition:
    """``leader`` is -1 where there is none; ``replicas`` and those of them ``in_sync`` are counted."""

    number: int
    leader: int
    replicas: int
    in_sync: int


@dataclass(frozen=True, slots=True)
class Topics:
    """Topics by their names on this cluster. Of those that are ``unseen`` Kafka does not tell us, and says why."""

    found: Mapping[str, Sequence[Partition]]
    missing: Sequence[str] = ()
    unseen: Mapping[str, str] = field(default_factory=dict)

    def part(self, names: Sequence[str]) -> "Topics":
        """The same of these topics alone."""
        return Topics(
            {name: self.found[name] for name in names if name in self.found},
            [name for name in names if name in self.missing],
            {name: self.unseen[name] for name in names if name in self.unseen},
        )


async def read_topics(ask: Ask, names: Sequence[str]) -> Topics:
    """What Kafka tells of the topics of these names."""
    # Named, so that Kafka tells a topic that is not there from one that we may not see; none is made by asking.
    answer = await ask(MetadataRequest(list(names), allow_auto_topic_creation=False))
    found: dict[str, list[Partition]] = {}
    missing, unseen = [], {}
    for code, name, _, partitions in answer.topics:
        kind = for_code(code)
        if kind is NoError:
            found[name] = [
                Partition(number, leader, len(replicas), len(in_sync))
                for _, number, leader, replicas, in_sync, *_ in partitions
            ]
        elif kind is UnknownTopicOrPartitionError:
            missing.append(name)
        else:
            unseen[name] = kind.__name__
    return Topics(found, missing, unseen)
