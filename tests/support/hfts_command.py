"""The `hfts` command as a process of its own, with settings in its environment."""

import asyncio
import json
import os
import sys
from typing import Any

from schemas.settings import Settings


async def hfts(settings: Settings, *arguments: str) -> tuple[int | None, Any, str]:
    """Exit status, JSON printed, and what stands on standard error."""
    environment = {name.upper(): str(value) for name, value in settings.model_dump(exclude_none=True).items()}
    environment["POSTGRES_PASSWORD"] = settings.postgres_password.get_secret_value()
    environment["SECRET_KEY"] = settings.secret_key.get_secret_value()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "ops",
        *arguments,
        env={**os.environ, **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await process.communicate()
    return process.returncode, json.loads(output) if output else None, errors.decode()
