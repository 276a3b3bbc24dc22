"""Checks of the brokers: whether we get to them, and how they are set up."""

from collections.abc import Iterator, Mapping, Sequence

from ops.doctor.check import Area, Check, together
from ops.doctor.facts.kafka_doors import Broker, Door
from ops.doctor.facts.kafka_topics import GROUP_OFFSETS, TRANSACTIONS, Partition, Topics
from ops.doctor.facts.kafka_values import Values
from ops.doctor.finding import Finding, ok, problem, warning
from schemas.settings import Settings
from sinks.kafka.fence import TRANSACTION_TIMEOUT_MS
from sinks.kafka.publisher import RENEW_INTERVAL_S
from sinks.kafka.topics import REPLICAS_OF_TWO_IN_SYNC
from streams.group_session import SESSION_TIMEOUT_S

FETCH, FETCH_LAST_MIN = 1, 17
"""Kafka 3.9 came with version 17 of the request to fetch (KIP-853)."""

WEEKEND_MINUTES = 3 * 24 * 60

NOTHING_GOES = "Nothing is accepted and nothing is applied."
INTERNAL = (
    (GROUP_OFFSETS, "offsets.topic.replication.factor", "no group can form, so no worker works"),
    (TRANSACTIONS, "transaction.state.log.replication.factor", "no worker can take a partition over"),
)
"""Kafka's own topics, the setting for their replicas, and what is without them."""


def judge_doors(doors: Sequence[Door]) -> list[Finding]:
    """At least one of the addresses of the settings lets us in, better all."""
    inside = [door.server for door in doors if door.is_open]
    if len(inside) == len(doors):
        return [ok(f"{', '.join(inside)} lets us in" if len(inside) == 1 else f"{', '.join(inside)} let us in")]
    say = warning if inside else problem
    why = "A client that starts while the others are away gets no further." if inside else NOTHING_GOES
    return [say(*_closed(door, why)) for door in doors if not door.is_open]


def _closed(door: Door, why: str) -> tuple[str, str, str, str]:
    host, _, port = door.server.rpartition(":")
    if door.name_fault is not None:
        seen = f"the host name {host} of {door.server} has no address here ({door.name_fault})"
        remedy = (
            "Set KAFKA_BOOTSTRAP_SERVERS to names that this machine knows. The services of Docker Compose have theirs "
            "inside its network only: from outside, use 127.0.0.1 and the published port."
        )
        return seen, why, remedy, ""
    remedy = (
        "Start Kafka, or set KAFKA_BOOTSTRAP_SERVERS to where its listener for clients is. Whether anything listens "
        "there:"
    )
    return door.fault or "", why, remedy, f"nc -vz -w 5 {host or '127.0.0.1'} {port}"


def judge_advertised(found: tuple[Sequence[Broker], Settings]) -> list[Finding]:
    """The addresses that the brokers tell clients to come to can be reached from here."""
    brokers, settings = found
    closed = [broker for broker in brokers if not broker.door.is_open]
    findings = [_astray(broker, settings) for broker in closed]
    return findings or [
        ok(f"brokers say they are at {', '.join(broker.door.server for broker in brokers)}, where we get in")
    ]


def _astray(broker: Broker, settings: Settings) -> Finding:
    door = broker.door
    reason = f"that name has no address here ({door.name_fault})" if door.name_fault is not None else door.fault
    return problem(
        f"Kafka at {settings.kafka_bootstrap_servers} tells clients to come to {door.server} for broker "
        f"{broker.number}, where we do not get in: {reason}",
        "A client asks KAFKA_BOOTSTRAP_SERVERS only for the way; then it goes where each broker says it is.",
        "Let the broker advertise an address that its clients can reach: in its server.properties, with Docker as "
        "KAFKA_ADVERTISED_LISTENERS, and with a listener for each network, such as containers and this machine:",
        f"advertised.listeners=LISTENER://{settings.kafka_bootstrap_servers.split(',')[0]}",
    )


def judge_version(versions: Mapping[int, tuple[int, int]]) -> list[Finding]:
    """New enough."""
    _, last = versions.get(FETCH, (0, 0))
    if last >= FETCH_LAST_MIN:
        return [ok("Kafka 3.9 or newer")]
    return [
        problem(
            "the brokers are older than Kafka 3.9",
            "Tested is 3.9 and newer only, and exactly-once rests on how the brokers fence writers.",
            "Move the brokers to Kafka 3.9 or newer, one after another.",
        )
    ]


def judge_internal(found: tuple[Topics, Mapping[int, Values], Sequence[Broker], Settings]) -> list[Finding]:
    """Kafka's own topics can be made, and are as safe as ours."""
    internal, values, brokers, settings = found
    findings = [
        finding
        for name, setting, without in INTERNAL
        for finding in _judge_own_topic(
            name,
            without,
            setting,
            wanted=max((int(found.get(setting, "1")) for found in values.values()), default=1),
            partitions=internal.found.get(name),
            brokers=len(brokers),
        )
    ]
    if settings.topic_replication > len(brokers):
        findings.append(
            problem(
                f"TOPIC_REPLICATION is {settings.topic_replication}, and there {_brokers(len(brokers))}",
                "Topics cannot be made with more replicas than there are brokers.",
                "Start those that are away, or more of them; for a single broker set TOPIC_REPLICATION=1.",
            )
        )
    return findings or [ok("there are brokers enough for every replica that is asked for")]


def _judge_own_topic(
    name: str, without: str, setting: str, *, wanted: int, partitions: Sequence[Partition] | None, brokers: int
) -> Iterator[Finding]:
    if partitions is None:
        if wanted > brokers:
            yield problem(
                f"{setting} is {wanted}, and there {_brokers(brokers)}",
                f"Kafka cannot make its topic {name}, and without it {without}.",
                "Start more brokers, or set it in server.properties of each broker and start it again:",
                f"{setting}={brokers}",
            )
        return
    replicas = min((partition.replicas for partition in partitions), default=0)
    if brokers >= REPLICAS_OF_TWO_IN_SYNC > replicas:
        yield problem(
            f"{name} has replicas on {replicas} of {brokers} brokers",
            f"When a broker is lost, so is what it alone has of {name}: then {without}.",
            f"Set {setting}=3 on each broker for clusters to come; spread the topic that exists with "
            "kafka-reassign-partitions.sh.",
        )


def _brokers(count: int) -> str:
    return f"is {count} broker" if count == 1 else f"are {count} brokers"


def judge_sessions(values: Mapping[int, Values]) -> list[Finding]:
    """A worker's session is within what the brokers allow."""
    session_ms = int(1000 * SESSION_TIMEOUT_S)
    least, most = "group.min.session.timeout.ms", "group.max.session.timeout.ms"
    outside = {(least, found[least]) for found in values.values() if int(found.get(least, session_ms)) > session_ms}
    outside |= {(most, found[most]) for found in values.values() if int(found.get(most, session_ms)) < session_ms}
    findings = [
        problem(
            f"{setting} is {value}",
            f"Workers ask for a session of {session_ms} ms, so no group lets them in.",
            "Set it on each broker and start it again:",
            f"{setting}={session_ms}",
        )
        for setting, value in sorted(outside)
    ]
    return findings or [ok(f"a session of {session_ms} ms is allowed")]


def judge_offsets_retention(values: Mapping[int, Values]) -> list[Finding]:
    """Groups that stand still over a weekend keep their place."""
    setting = "offsets.retention.minutes"
    least = min((int(found[setting]) for found in values.values() if setting in found), default=WEEKEND_MINUTES)
    if least >= WEEKEND_MINUTES:
        return [ok(f"a group that stands still keeps its place for {least // (24 * 60)} days")]
    return [
        warning(
            f"{setting} is {least}, {least / 60:.0f} hours",
            "A group that stands still for longer loses its place. Workers find theirs in the database and at the "
            "ends of the "
            "topics; until then, `hfts lag` shows too much for those that follow.",
            "Set it on each broker to a week or more and start it again:",
            f"{setting}=10080",
        )
    ]


def judge_transactions(values: Mapping[int, Values]) -> list[Finding]:
    """Claims on partitions live until they are renewed, and may be as long as ours."""
    bounds = (
        (
            "transactional.id.expiration.ms",
            int(1000 * RENEW_INTERVAL_S) + 1,
            (
                f"Workers renew their claims every {RENEW_INTERVAL_S / 3600:.0f} hours. Once the brokers have "
                "forgotten one, a worker that wakes up late is no longer kept from writing."
            ),
            "604800000",
        ),
        (
            "transaction.max.timeout.ms",
            TRANSACTION_TIMEOUT_MS,
            f"Workers ask for {TRANSACTION_TIMEOUT_MS} ms when they take a partition over, and are refused.",
            "900000",
        ),
    )
    findings = [
        problem(f"{setting} is {value}", why, "Set it on each broker and start it again:", f"{setting}={default}")
        for setting, least, why, default in bounds
        for value in {found[setting] for found in values.values() if setting in found and int(found[setting]) < least}
    ]
    return findings or [ok("claims on partitions live until they are renewed")]


AREA = Area(
    "Kafka",
    (
        Check(
            "kafka-access",
            "brokers that are away, whose name is not known here, or that want another protocol, user or password",
            "Start them, or set `KAFKA_BOOTSTRAP_SERVERS`, `KAFKA_SECURITY_PROTOCOL`, `KAFKA_SASL_*`, `KAFKA_SSL_*`",
            lambda facts: facts.kafka.doors,
            judge_doors,
        ),
        Check(
            "kafka-advertised",
            "brokers that send their clients to an address which cannot be reached from here",
            "Set `advertised.listeners` of the brokers",
            lambda facts: together(facts.kafka.brokers, facts.configuration.settings),
            judge_advertised,
        ),
        Check(
            "kafka-version",
            "Kafka before 3.9",
            "Move to 3.9 or newer",
            lambda facts: facts.kafka.versions,
            judge_version,
        ),
        Check(
            "kafka-brokers",
            "more replicas asked for, by `TOPIC_REPLICATION` or for Kafka's own topics, than there are brokers; or "
            "too few",
            "Start more brokers, or set `offsets.topic.replication.factor` and "
            "`transaction.state.log.replication.factor`",
            lambda facts: together(
                facts.kafka.internal, facts.kafka.broker_values, facts.kafka.brokers, facts.configuration.settings
            ),
            judge_internal,
        ),
        Check(
            "kafka-sessions",
            "bounds of the brokers that do not allow a worker's session of 6 s",
            "Set `group.min.session.timeout.ms`, `group.max.session.timeout.ms`",
            lambda facts: facts.kafka.broker_values,
            judge_sessions,
        ),
        Check(
            "kafka-offsets",
            "committed offsets that are forgotten over a weekend",
            "Set `offsets.retention.minutes` to a week or more",
            lambda facts: facts.kafka.broker_values,
            judge_offsets_retention,
        ),
        Check(
            "kafka-transactions",
            "claims on partitions that brokers forget before they are renewed, or that they refuse",
            "Set `transactional.id.expiration.ms`, `transaction.max.timeout.ms`",
            lambda facts: facts.kafka.broker_values,
            judge_transactions,
        ),
    ),
)
