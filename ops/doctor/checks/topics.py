"""Checks of our topics: their shape and their settings."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from ops.doctor.check import Area, Check, together
from ops.doctor.facts.kafka import NO_TOPICS, Broker, Partition, Topics, Values
from ops.doctor.finding import Finding, not_checked, ok, problem, warning
from schemas.settings import Settings
from schemas.topics import ALL_TOPICS, FOREVER_MS, Topic
from sinks.kafka.topics import REPLICAS_OF_TWO_IN_SYNC

DAY_MS = 24 * 3600 * 1000

TopicValues = tuple[Mapping[str, Values], Settings]


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
            "another "
            "TOPIC_PREFIX:",
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


def judge_unclean(found: TopicValues) -> list[Finding]:
    """No replica that lacks records may lead."""
    setting = "unclean.leader.election.enable"
    return _judge_each(
        found,
        setting,
        is_wrong=lambda _, value: value == "true",
        right=lambda _: "false",
        why="A replica that lacks confirmed records may become the leader: they are lost, and their offsets are given "
        "again.",
        fine="no replica that lacks records becomes a leader",
    )


def judge_retention(found: TopicValues) -> list[Finding]:
    """Output topics keep everything, requests a month."""
    values, settings = found
    findings = [
        finding
        for topic in ALL_TOPICS
        if (name := settings.topic_name(topic)) in values
        for finding in _judge_kept(topic, name, values[name], settings.kafka_bootstrap_servers)
    ]
    return findings or [ok("requests are kept for 30 days at least, all that follows from them for ever")]


def _judge_kept(topic: Topic, name: str, values: Values, servers: str) -> Iterator[Finding]:
    why = (
        "The last record of an output topic says where to go on. Once it has expired, what was told is told again, "
        "and audit "
        "and reconciliation lack their beginning."
    )
    if topic.retention_ms != FOREVER_MS:
        why = "A request that expires before it is applied is lost."
    if values.get("cleanup.policy", "delete") != "delete":
        yield problem(
            f"{name}: cleanup.policy is {values['cleanup.policy']}",
            "Compaction removes records of a wallet as soon as there are newer ones: the history is gone.",
            "Let it be `delete`:",
            alter_command(servers, name, "cleanup.policy=delete"),
        )
    kept_ms = int(values.get("retention.ms", FOREVER_MS))
    if kept_ms != FOREVER_MS and (topic.retention_ms == FOREVER_MS or kept_ms < topic.retention_ms):
        yield problem(
            f"{name}: retention.ms is {kept_ms}, {kept_ms / DAY_MS:.3g} days",
            why,
            "Keep it longer:",
            alter_command(servers, name, f"retention.ms={topic.retention_ms}"),
        )
    kept_bytes = int(values.get("retention.bytes", "-1"))
    if kept_bytes != -1:
        yield problem(
            f"{name}: retention.bytes is {kept_bytes}",
            why,
            "Let its size have no bound, and watch the brokers' disks:",
            alter_command(servers, name, "retention.bytes=-1"),
        )


def judge_record_size(found: TopicValues) -> list[Finding]:
    """Every record that may come fits."""
    return _judge_each(
        found,
        "max.message.bytes",
        is_wrong=lambda topic, value: int(value) < topic.record_bytes_max,
        right=lambda topic: str(topic.record_bytes_max),
        why="A record that follows from a large request does not fit: the worker that made it ends, again and again.",
        fine="the largest records fit",
    )


def judge_timestamps(found: TopicValues) -> list[Finding]:
    """By the brokers' clock."""
    return _judge_each(
        found,
        "message.timestamp.type",
        is_wrong=lambda _, value: value != "LogAppendTime",
        right=lambda _: "LogAppendTime",
        why="Producers' clocks then say how old a record is: a wrong one makes it expire too early, and the lag in "
        "seconds wrong.",
        fine="records have the brokers' time",
        say=warning,
    )


def _judge_each(
    found: TopicValues,
    setting: str,
    *,
    is_wrong: Callable[[Topic, str], bool],
    right: Callable[[Topic], str],
    why: str,
    fine: str,
    say: Callable[[str, str, str, str], Finding] = problem,
) -> list[Finding]:
    values, settings = found
    findings = []
    for topic in ALL_TOPICS:
        name = settings.topic_name(topic)
        value = values.get(name, {}).get(setting)
        if value is not None and is_wrong(topic, value):
            wanted = right(topic)
            command = alter_command(settings.kafka_bootstrap_servers, name, f"{setting}={wanted}")
            findings.append(say(f"{name}: {setting} is {value}", why, f"Set it to {wanted}:", command))
    return findings or [ok(fine)]


def alter_command(servers: str, topic: str, assignment: str) -> str:
    """How a topic's setting is changed with Kafka's own tools."""
    return (
        f"kafka-configs.sh --bootstrap-server {servers} --alter --entity-type topics --entity-name {topic} "
        f"--add-config {assignment}"
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
        Check(
            "topic-leaders",
            "leaders that may lack confirmed records",
            "`unclean.leader.election.enable=false`",
            lambda facts: together(facts.kafka.topic_values, facts.configuration.settings),
            judge_unclean,
        ),
        Check(
            "topic-retention",
            "output topics that do not keep everything, or requests that are kept for less than 30 days",
            "`retention.ms=-1`, `retention.bytes=-1`, `cleanup.policy=delete`",
            lambda facts: together(facts.kafka.topic_values, facts.configuration.settings),
            judge_retention,
        ),
        Check(
            "topic-record-size",
            "topics that do not take the largest records",
            "Set `max.message.bytes`",
            lambda facts: together(facts.kafka.topic_values, facts.configuration.settings),
            judge_record_size,
        ),
        Check(
            "topic-timestamps",
            "records that have their producers' time instead of the brokers'",
            "`message.timestamp.type=LogAppendTime`",
            lambda facts: together(facts.kafka.topic_values, facts.configuration.settings),
            judge_timestamps,
        ),
    ),
)
