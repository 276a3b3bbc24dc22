"""The rights that the documentation says each process needs on Kafka, and the role that it makes in PostgreSQL."""

import re
from pathlib import Path

import asyncpg
from aiokafka.protocol.admin import CreateAclsRequest
from pydantic import SecretStr

from ops.embedded.stack import Stack
from ops.lag.reader import admin_client
from schemas.settings import Settings
from sinks.postgres.pool import connect

DOCUMENT = (Path(__file__).parents[2] / "docs" / "security.md").read_text()

# The numbers of Kafka's ResourceType, AclOperation, PatternType and AclPermissionType.
RESOURCES = {"topic": 2, "group": 3, "cluster": 4, "transactional id": 5}
OPERATIONS = {"Read": 3, "Write": 4, "Create": 5, "Describe": 8, "DescribeConfigs": 10}
LITERAL, PREFIXED, ALLOW = 3, 4, 3


def documented_rights() -> list[tuple[str, str, str, str]]:
    """User, kind of resource, its name (which may end with a star), and operations, one row each of the table."""
    found = re.findall(
        r"^\| `(\w+)` \| (topic|group|cluster|transactional id) `(\S+)` \| (.*) \|$", DOCUMENT, re.MULTILINE
    )
    assert found
    return found


async def grant_rights(settings: Settings) -> None:
    """Grant them all, and no others."""
    async with admin_client(settings) as admin:
        for user, kind, name, operations in documented_rights():
            pattern = PREFIXED if name.endswith("*") else LITERAL
            for operation in operations.split(", "):
                request = CreateAclsRequest(
                    RESOURCES[kind], name.rstrip("*"), pattern, f"User:{user}", "*", OPERATIONS[operation], ALLOW
                )
                response = await admin._send_to_controller(request)  # has no method of its own for this
                assert [code for code, _ in response.creation_responses] == [0], response


async def documented_role(settings: Settings) -> Settings:
    """Run the documented statements as the owner; the settings of the role that they make."""
    [statements] = re.findall(r"^```\n(create role .*?)^```$", DOCUMENT, re.MULTILINE | re.DOTALL)
    connection = await connect(settings)
    try:
        await connection.execute(statements.replace("login;", "login password 'of-the-app';"))
    finally:
        await connection.close()
    return settings.model_copy(update={"postgres_user": "hfts_app", "postgres_password": SecretStr("of-the-app")})


async def may_create_roles(stack: Stack) -> None:
    """Let the owner make the role."""
    connection = await asyncpg.connect(
        host="127.0.0.1", port=stack.plan.postgres_port, user="postgres", password=stack.secrets.superuser_password
    )
    await connection.execute("alter role hfts createrole")
    await connection.close()
