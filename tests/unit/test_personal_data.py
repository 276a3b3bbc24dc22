"""What stands on the topics of persons: no more than docs/security.md says. A new member needs a thought here."""

import re
from pathlib import Path

from schemas.message_schemas import AUDIT_RECORD, CHECKPOINT, NOTIFICATION, OUTCOME, RATE, REQUEST, value_schemas
from schemas.topics import EVERY_TOPIC

SECURITY = (Path(__file__).parents[2] / "docs" / "security.md").read_text()
OF_A_REQUEST = {
    *("transfer_id", "source_wallet_id", "destination_wallet_id", "amount", "currency", "requested_at"),
    *("reference", "metadata", "kind", "parent_id", "expires_at"),
}
OF_AN_OUTCOME = OF_A_REQUEST | {
    *("status", "reason", "completed_at"),
    *("source_balance", "source_version", "destination_balance", "destination_version"),
}
ALLOWED = {
    REQUEST: OF_A_REQUEST,
    OUTCOME: OF_AN_OUTCOME,
    AUDIT_RECORD: OF_AN_OUTCOME | {"outcome_offset", "sequence", "prev_hash", "hash"},
    NOTIFICATION: {
        *("transfer_id", "recipient", "user_id", "wallet_id", "email", "status", "reason", "amount", "currency"),
        *("reference", "completed_at", "kind"),
    },
    CHECKPOINT: {"statement", "signature", "positions", "trees"},
    RATE: {"wallet_id", "currency", "minute", "transfers", "volume"},
}


def test_messages_have_these_members_and_no_others() -> None:
    assert {name: set(schema["properties"]) for name, schema in value_schemas().items()} == ALLOWED


def test_only_a_notification_has_an_address_and_none_a_secret() -> None:
    named = {(message, name) for message, names in ALLOWED.items() for name in names}
    assert {where for where in named if re.search("mail|phone|name|address", where[1])} == {(NOTIFICATION, "email")}
    assert not {where for where in named if re.search("password|token|secret|key", where[1])}


def test_the_document_tells_of_every_topic() -> None:
    table = SECURITY.split("\n## Personal data\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (`.*?`) \|", table, re.MULTILINE)
    assert {name for row in rows for name in re.findall("`(.*?)`", row)} == {topic.name for topic in EVERY_TOPIC}
