"""Reads the settings for a command and explains what is wrong with them."""

from pydantic import ValidationError

from ops.errors import CommandError
from schemas.codes import CliCode
from schemas.settings import Settings


def load_settings() -> Settings:
    """The settings from the environment and ``.env``. Raises CommandError with one line for each wrong variable."""
    try:
        return Settings()
    except ValidationError as error:
        raise CommandError(explain(error), CliCode.SETTINGS_INVALID) from None


def faults(error: ValidationError) -> dict[str, str]:
    """What is wrong with each wrong variable. Values are left out: they may be secrets."""
    return {".".join(map(str, item["loc"])).upper(): _lower_first(item["msg"]) for item in error.errors()}


def explain(error: ValidationError) -> str:
    """One line for each wrong variable."""
    lines = [f"{name}: {fault}" for name, fault in faults(error).items()]
    count = "a setting is wrong" if len(lines) == 1 else f"{len(lines)} settings are wrong"
    listed = "\n".join(f"  {line}" for line in lines)
    return f"{count}. Set the environment variable, or write it into .env:\n{listed}"


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]
