"""All facts together."""

import asyncio
from dataclasses import dataclass

from ops.doctor.facts.attempt import SERVER_TIMEOUT_S, attempt
from ops.doctor.facts.configuration import Configuration
from ops.doctor.facts.database import DatabaseFacts, read_database
from ops.doctor.facts.kafka import KafkaFacts, read_kafka
from ops.doctor.facts.machine import Machine, read_machine
from ops.doctor.facts.mail import MailServer, read_mail_server
from ops.doctor.facts.port import Port, read_port
from ops.doctor.facts.standing import Standing, read_standing
from ops.doctor.finding import Unknown
from schemas.settings import Settings


@dataclass(frozen=True, slots=True)
class Facts:
    """What a set-up looks like from here, now."""

    configuration: Configuration
    machine: Machine
    port: Port | Unknown
    database: DatabaseFacts
    kafka: KafkaFacts
    mail_server: MailServer | Unknown | None
    standing: Standing | Unknown

    @property
    def settings(self) -> Settings | Unknown:
        """All of them, none with a stand-in for what is wrong."""
        return self.configuration.settings_for("")


async def gather_facts(configuration: Configuration) -> Facts:
    """All within half a minute, whatever is away. Raises nothing."""
    port, database, kafka, mail_server = await asyncio.gather(
        _port(configuration.settings_for("API_")),
        _database(configuration.settings_for("POSTGRES_", "TOPIC_")),
        _kafka(configuration.settings_for("KAFKA_", "TOPIC_")),
        _mail_server(configuration.settings_for("SMTP_")),
    )
    standing = await read_standing(configuration.settings, database, kafka)
    return Facts(configuration, read_machine(), port, database, kafka, mail_server, standing)


async def _port(settings: Settings | Unknown) -> Port | Unknown:
    return settings if isinstance(settings, Unknown) else await attempt(read_port(settings))


async def _mail_server(settings: Settings | Unknown) -> MailServer | Unknown | None:
    return settings if isinstance(settings, Unknown) else await attempt(read_mail_server(settings), SERVER_TIMEOUT_S)


async def _database(settings: Settings | Unknown) -> DatabaseFacts:
    return DatabaseFacts.unknown(settings) if isinstance(settings, Unknown) else await read_database(settings)


async def _kafka(settings: Settings | Unknown) -> KafkaFacts:
    if not isinstance(settings, Unknown):
        return await read_kafka(settings)
    facts = KafkaFacts()
    facts.leave_rest(settings)
    return facts
