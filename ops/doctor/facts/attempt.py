"""One step towards a fact: it ends in time, and says why where it fails."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

import asyncpg

from ops.doctor.finding import Unknown
from sinks.errors import SinkError
from sinks.postgres.retry import describe

T = TypeVar("T")

STEP_TIMEOUT_S = 5.0

SERVER_TIMEOUT_S = 18.0
"""All steps towards one server together. One more, which needs both, comes after that."""

NO_TIME_LEFT = Unknown(f"the server took longer than {SERVER_TIMEOUT_S:g} s in all")


async def attempt(step: Awaitable[T], within_s: float = STEP_TIMEOUT_S) -> T | Unknown:
    """What the step comes to, or why it comes to nothing in this time."""
    try:
        async with asyncio.timeout(within_s):
            return await step
    except TimeoutError:
        return Unknown(f"no answer within {within_s:g} s")
    except asyncpg.InsufficientPrivilegeError as error:
        return Unknown(f"the database refuses it: {str(error).splitlines()[0]}")
    except SinkError as error:
        return Unknown(str(error))
    except Exception as error:  # noqa: BLE001 (whatever it is, the other facts are wanted all the more)
        return Unknown(describe(error))
