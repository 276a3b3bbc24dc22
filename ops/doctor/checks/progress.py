"""Checks of what Kafka and PostgreSQL know of each other: progress, clocks, and who works."""

from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version

from ops.doctor.check import Area, Check, together
from ops.doctor.facts.database import Clock, Worker
from ops.doctor.facts.kafka_clock import AHEAD_MS_MIN
from ops.doctor.facts.machine import OURS
from ops.doctor.facts.standing import Standing
from ops.doctor.finding import Finding, ok, problem, warning
from schemas.settings import Settings
from schemas.topics import TRANSFERS_REQUESTED

CLOCK_AHEAD_S_MAX = AHEAD_MS_MIN / 1000

SHOWN_MAX = 3

WITHOUT = {
    "transfers": "What is accepted waits to be applied.",
    "downstream": "Outcomes are not told and not audited.",
}

AGENTS_OF_PROCESSES = {"transfers": ("transfers",), "downstream": ("notifications", "audit", "deliveries")}
"""The agents that run together, as docker-compose.yml and `hfts up` start them."""


def judge_progress(found: tuple[Standing, Settings]) -> list[Finding]:
    """What the database has applied is there on the topics, and what was told is applied."""
    standing, settings = found
    requests = settings.topic_name(TRANSFERS_REQUESTED)
    findings = list(_lost_topics(standing, requests))
    behind = [p for p, offset in sorted(standing.told.items()) if offset >= standing.progress.get((requests, p), 0)]
    if behind and not findings:
        findings.append(
            problem(
                f"on partitions {_listed(behind)} stand outcomes of requests that this database has not applied",
                "It was restored from a backup, or is another database than the one they come from. Workers that "
                "start make the rows that are missing out of the outcomes, before they do anything else.",
                "If POSTGRES_HOST and POSTGRES_DB name the right database, start the workers of the transfers agent "
                "anew: they say what they cannot make. For a new beginning with an empty database, take another "
                "TOPIC_PREFIX, too.",
            )
        )
    findings += _expired(standing, requests, behind)
    return findings or [ok("what is applied is on the topics, and what was told is applied")]


def _lost_topics(standing: Standing, requests: str) -> Iterator[Finding]:
    progress, spans = standing.progress, standing.spans
    for topic in dict.fromkeys(span.topic for span in spans):
        beyond = [s for s in spans if s.topic == topic and progress.get((topic, s.partition), 0) > s.end]
        if not beyond:
            continue
        shown = ", ".join(
            f"{s.partition} ends at {s.end:,}, applied up to {progress[topic, s.partition]:,}"
            for s in beyond[:SHOWN_MAX]
        )
        yield problem(
            f"{topic} is shorter than what was applied of it: partition {shown}",
            "Kafka has lost records, or the topic was made anew. "
            + (
                "Workers wait, or new requests below that offset would be taken for applied ones."
                if topic == requests
                else "The deliveries agent ends, or new notifications below that offset would be taken for delivered."
            ),
            "Bring back Kafka's data if there are any. Otherwise stop the API and the workers, and let the topics go "
            "on behind what the database has of them:",
            "hfts recover",
        )


def _expired(standing: Standing, requests: str, behind: Sequence[int]) -> Iterator[Finding]:
    gone = {}
    for span in standing.spans:
        missing = span.begin - standing.progress.get((requests, span.partition), 0)
        if span.topic == requests and missing > 0 and span.partition not in behind:
            gone[span.partition] = missing
    if gone:
        yield problem(
            f"{sum(gone.values()):,} requests on partitions {_listed(list(gone))} have expired before they were "
            "applied",
            "They were accepted, and are lost: no worker has applied them in time.",
            "Restore them from a backup of the topic, or ask their senders to send them again. Keep requests for "
            "longer "
            "than any standstill (retention.ms), and start workers:",
            "hfts worker --agents transfers",
        )


def _listed(numbers: Sequence[int]) -> str:
    more = f" and {len(numbers) - SHOWN_MAX} more" if len(numbers) > SHOWN_MAX else ""
    return ", ".join(map(str, numbers[:SHOWN_MAX])) + more


def judge_database_clock(clock: Clock) -> list[Finding]:
    """It agrees with ours."""
    if abs(clock.ahead_s) - clock.error_s <= CLOCK_AHEAD_S_MAX:
        return [ok(f"{clock.ahead_s:+.1f} s from this machine's")]
    side = "ahead of" if clock.ahead_s > 0 else "behind"
    return [
        warning(
            f"PostgreSQL's clock is {abs(clock.ahead_s):.1f} s {side} this machine's",
            "No transfer is wrong for it. But logins and tokens expire at the wrong time, and times in the history "
            "mislead.",
            "Let both machines take their time from NTP:",
            "timedatectl set-ntp true",
        )
    ]


def judge_kafka_clock(ahead_s: float) -> list[Finding]:
    """It is not ahead of ours. How far it is behind, nothing tells before a record is written."""
    if ahead_s <= CLOCK_AHEAD_S_MAX:
        return [ok("no record is from the future")]
    return [
        warning(
            f"a record on the topics is from {ahead_s:.0f} s in the future, by this machine's clock",
            "No transfer is wrong for it. But the lag in seconds is, and so is when records expire.",
            "Let this machine and the brokers take their time from NTP:",
            "timedatectl set-ntp true",
        )
    ]


def judge_members(members: Mapping[str, int]) -> list[Finding]:
    """Somebody works for each agent."""
    idle = {
        process: missing
        for process, agents in AGENTS_OF_PROCESSES.items()
        if (missing := [agent for agent in agents if not members.get(agent)])
    }
    return [
        warning(
            f"no worker runs {' and '.join(agents)}",
            WITHOUT[process],
            "Start one, under a supervisor that starts it again:",
            f"hfts worker --agents {','.join(agents)}",
        )
        for process, agents in idle.items()
    ] or [ok(", ".join(f"{agent}: {count}" for agent, count in members.items()))]


def judge_versions(workers: Sequence[Worker]) -> list[Finding]:
    """All run this version."""
    ours = version(OURS)
    others = [worker for worker in workers if worker.version != ours]
    if not others:
        return [ok(f"all {len(workers)} run {ours}" if workers else "no worker runs")]
    listed = ", ".join(f"{worker.worker_id} on {worker.host} runs {worker.version}" for worker in others[:SHOWN_MAX])
    return [
        warning(
            f"this is {ours}, and {listed}",
            "Between one version and the next that is fine while you deploy, and not tested for longer.",
            "Bring the others to the same version, and start them again one by one.",
        )
    ]


AREA = Area(
    "At work",
    (
        Check(
            "progress",
            "topics that were lost or made anew, a database that is another or older one, requests that expired "
            "unapplied",
            "Start workers, which catch up; for lost topics, bring back the data, or `hfts recover`",
            lambda facts: together(facts.standing, facts.configuration.settings),
            judge_progress,
        ),
        Check(
            "postgres-clock",
            "PostgreSQL's clock more than 5 s away from this machine's",
            "Set both by NTP",
            lambda facts: facts.database.clock,
            judge_database_clock,
        ),
        Check(
            "kafka-clock",
            "records from the future: a broker's clock ahead of this machine's",
            "Set both by NTP",
            lambda facts: facts.kafka.ahead_s,
            judge_kafka_clock,
        ),
        Check(
            "workers",
            "an agent that no worker runs",
            "`hfts worker`",
            lambda facts: facts.kafka.members,
            judge_members,
        ),
        Check(
            "worker-versions",
            "workers of another version than this program",
            "Start them again with the same version",
            lambda facts: facts.database.workers,
            judge_versions,
        ),
    ),
)
