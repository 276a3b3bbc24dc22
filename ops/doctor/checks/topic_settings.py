"""Checks of the settings of our topics: how long they keep records, which they take, and who may lead."""

from collections.abc import Callable, Iterator, Mapping

from ops.doctor.check import Check, together
from ops.doctor.facts.kafka_values import Values
from ops.doctor.finding import Finding, ok, problem, warning
from schemas.settings import Settings
from schemas.topics import ALL_TOPICS, FOREVER_MS, Topic

DAY_MS = 24 * 3600 * 1000

TopicValues = tuple[Mapping[str, Values], Settings]


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
        "and audit and reconciliation lack their beginning."
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


SETTINGS = (
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
)
