"""Check of our rights on Kafka."""

from collections.abc import Mapping

from ops.doctor.check import Area, Check, together
from ops.doctor.facts.kafka_rights import NEEDED, Right
from ops.doctor.finding import Finding, ok, problem
from schemas.settings import Settings


def judge_rights(found: tuple[Mapping[Right, bool], Settings]) -> list[Finding]:
    """The user may do all that one kind of process does, at least."""
    rights, settings = found
    user = settings.kafka_sasl_username or ("our certificate" if settings.kafka_ssl_certfile else "anybody")
    lacking = {role: [right for right in needed if not rights[right]] for role, needed in NEEDED.items()}
    able = [role for role, missing in lacking.items() if not missing]
    if able:
        return [ok(f"{user} may do what {_joined(able)} must")]
    nearest = min(lacking, key=lambda role: len(lacking[role]) / len(NEEDED[role]))
    listed = "; ".join(
        f"{right.operation} on {right.resource} {settings.topic_prefix}{right.name}" for right in lacking[nearest]
    )
    return [
        problem(
            f"{user} may do what no process of ours must; nearest is {nearest}, but for {listed}",
            "A worker without a right of its own ends or waits, and an API answers 503.",
            "Grant each process what the table in docs/security.md lists for it, such as:",
            _grant(lacking[nearest][0], settings),
        )
    ]


def _joined(roles: list[str]) -> str:
    return " and ".join(roles) if len(roles) < len(NEEDED) else "every process"


def _grant(right: Right, settings: Settings) -> str:
    option = right.resource.replace(" ", "-")
    return (
        f"kafka-acls.sh --bootstrap-server {settings.kafka_bootstrap_servers} --add "
        f"--allow-principal User:{settings.kafka_sasl_username or 'NAME'} --operation {right.operation} "
        f"--{option} {settings.topic_prefix}{right.name}"
    )


AREA = Area(
    "Rights",
    (
        Check(
            "kafka-rights",
            "a user of Kafka who lacks rights that its process needs",
            "Grant what the table in docs/security.md lists",
            lambda facts: together(facts.kafka.rights, facts.configuration.settings),
            judge_rights,
        ),
    ),
)
