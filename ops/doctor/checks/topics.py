"""Checks of our topics: that they are there, and how their partitions and replicas are laid out."""

from collections.abc import Iterator, Mapping, Sequence

from ops.doctor.check import Area, Check, together
from ops.doctor.checks.topic_settings import SETTINGS, alter_command
from ops.doctor.facts.kafka_doors import Broker
from ops.doctor.facts.kafka_topics import NO_TOPICS, Partition, Topics
from ops.doctor.facts.kafka_values import Values
from ops.doctor.finding import Finding, not_checked, ok, problem, warning
from schemas.settings import Settings
from sinks.kafka.topics import REPLICAS_OF_TWO_IN_SYNC


def judge_existence(found: tuple[Topics, Settings]) -> list[Finding]:
    """All five are there, and we may see them."""
    topics, settings = found
    findings = []
    if topics.missing:
        findings.append(
            problem(
                f"topics are missing: {', '.join(topics.missing)}",
                "Workers wait for them, and the API answers 503."
                + (f" TOPIC_PREFIX is {settings.topic_prefix}: is it meant?" if settings.topic_prefix else ""),
                "Make them:",
                "hfts topics",
            )
        )
    findings += [
        problem(
            f"Kafka does not tell us of {name} ({reason})",
            "It may be there or not; without the right to describe it, no process of ours can use it.",
            "Grant the rights of docs/security.md, and then make the topic if it is missing:",
            "hfts topics",
        )
        for name, reason in topics.unseen.items()
    ]
    return findings or [ok(f"all {len(topics.found)} are there")]


def judge_partitions(found: tuple[Topics, Settings]) -> list[Finding]:
    """As many on each as the settings say."""
    topics, settings = found
    if not topics.found:
        return [not_checked(NO_TOPICS.because)]
    counts = {name: len(partitions) for name, partitions in topics.found.items()}
    odd = {name: count for name, count in counts.items() if count != settings.topic_partitions}
    if not odd:
        return [ok(f"{settings.topic_partitions} on each")]
    listed = ", ".join(f"{name} has {count}" for name, count in odd.items())
    why = "What follows from a request on partition p goes to partition p of the next topic: all need the same number."
    if len(set(counts.values())) == 1:
        [count] = set(counts.values())
        return [
            problem(
                f"each topic has {count} partitions, and TOPIC_PARTITIONS is {settings.topic_partitions}",
                why,
                "The number cannot be changed once transfers have been made: a wallet's payments would go to another "
                "partition, and lose their order. So set it to what there is:",
                f"TOPIC_PARTITIONS={count}",
            )
        ]
    return [
        problem(
            f"the numbers of partitions differ: {listed}, and TOPIC_PARTITIONS is {settings.topic_partitions}",
            why + " A worker ends when it comes to a partition that is not there.",
            "Topics without a record yet: delete them and make them anew. Otherwise begin with new topics under "
            "another TOPIC_PREFIX:",
            "hfts topics",
        )
    ]


def judge_replication(found: tuple[Topics, Mapping[str, Values], Sequence[Broker], Settings]) -> list[Finding]:
    """Three replicas of which two confirm, all of them there."""
    topics, values, brokers, settings = found
    findings = [
        *_judge_presence(topics),
        *(
            finding
            for name, partitions in topics.found.items()
            for finding in _judge_replicas(name, partitions, values.get(name, {}), len(brokers), settings)
        ),
    ]
    if len(brokers) < REPLICAS_OF_TWO_IN_SYNC:
        findings.append(
            warning(
                f"there are only {len(brokers)} brokers" if len(brokers) > 1 else "there is one broker only",
                "One broker alone confirms what nobody else has, so the end of its machine can take that with it; or "
                "the loss of any of them stops everything.",
                "Start those that are away. One will do for development; production takes three, and "
                "TOPIC_REPLICATION=3.",
            )
        )
    return findings or [ok("three replicas of each partition, of which two confirm, and all are in sync")]


def _judge_presence(topics: Topics) -> Iterator[Finding]:
    leaderless = {name: sum(p.leader < 0 for p in partitions) for name, partitions in topics.found.items()}
    if any(leaderless.values()):
        yield problem(
            f"without a leader: {_counted(leaderless)}",
            "Nothing can be written to these partitions or read from them.",
            "Start the brokers that have them.",
        )
    behind = {name: sum(p.in_sync < p.replicas for p in partitions) for name, partitions in topics.found.items()}
    if any(behind.values()):
        yield warning(
            f"replicas are away or behind: {_counted(behind)}",
            "The loss of one more broker can stop these partitions.",
            "Start the brokers that are away, or wait until they have caught up.",
        )


def _counted(partitions: Mapping[str, int]) -> str:
    return ", ".join(f"{count} of {name}" for name, count in partitions.items() if count)


def _judge_replicas(
    name: str, partitions: Sequence[Partition], values: Values, brokers: int, settings: Settings
) -> Iterator[Finding]:
    servers = settings.kafka_bootstrap_servers
    replicas = min((partition.replicas for partition in partitions), default=0)
    in_sync_min = int(values.get("min.insync.replicas", "1"))
    if brokers >= REPLICAS_OF_TWO_IN_SYNC > replicas:
        yield problem(
            f"{name} has replicas on {replicas} of {brokers} brokers",
            "The loss of one broker takes confirmed records with it, or stops the pipeline.",
            "Set TOPIC_REPLICATION=3 for topics to come, and spread those that exist with "
            "kafka-reassign-partitions.sh.",
        )
    elif replicas >= REPLICAS_OF_TWO_IN_SYNC and in_sync_min < REPLICAS_OF_TWO_IN_SYNC - 1:
        yield problem(
            f"{name}: min.insync.replicas is {in_sync_min}",
            "A single broker that is left confirms what nobody else has; if it dies, that is lost.",
            "Let two confirm:",
            alter_command(servers, name, "min.insync.replicas=2"),
        )
    elif in_sync_min >= replicas > 1:
        yield warning(
            f"{name}: min.insync.replicas is {in_sync_min}, with {replicas} replicas",
            "As soon as one broker is away, nothing is confirmed.",
            "Let one replica be missing:",
            alter_command(servers, name, f"min.insync.replicas={replicas - 1}"),
        )


AREA = Area(
    "Topics",
    (
        Check(
            "topics",
            "topics that are missing, or that we may not see",
            "`hfts topics`",
            lambda facts: together(facts.kafka.topics, facts.configuration.settings),
            judge_existence,
        ),
        Check(
            "topic-partitions",
            "topics with different numbers of partitions, or another number than `TOPIC_PARTITIONS`",
            "Set `TOPIC_PARTITIONS` to what there is, or begin with another `TOPIC_PREFIX`",
            lambda facts: together(facts.kafka.topics, facts.configuration.settings),
            judge_partitions,
        ),
        Check(
            "topic-replication",
            "fewer than three replicas, fewer than two that confirm, or replicas that are away",
            "`TOPIC_REPLICATION=3`, `min.insync.replicas=2`",
            lambda facts: together(
                facts.kafka.topics, facts.kafka.topic_values, facts.kafka.brokers, facts.configuration.settings
            ),
            judge_replication,
        ),
        *SETTINGS,
    ),
)
