"""The ``hfts`` command: collects the modules of ``ops.commands`` and turns known errors into one line."""

import importlib
import logging
import pkgutil
import sys

import typer

from ops import commands
from ops.errors import CommandError
from schemas.codes import CliCode
from sinks.errors import BrokerAwayError, DatabaseAwayError, SinkError

INTERRUPTED = 130  # what a shell reports for a command ended by Ctrl-C


def build_app() -> typer.Typer:
    """The typer app with every command registered."""
    app = typer.Typer(
        name="hfts",
        help="Exact, fast money transfers over Kafka.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    modules = {module.name for module in pkgutil.iter_modules(commands.__path__)}
    # A group registers its own files, which are called after it: audit has audit_chain.
    for module in sorted(name for name in modules if name == (first := name.partition("_")[0]) or first not in modules):
        importlib.import_module(f"{commands.__name__}.{module}").register(app)
    return app


def code_of(error: CommandError | SinkError) -> CliCode:
    """The error's word on the list of codes."""
    match error:
        case CommandError():
            return error.code
        case DatabaseAwayError():
            return CliCode.DATABASE_UNAVAILABLE
        case BrokerAwayError():
            return CliCode.BROKER_UNAVAILABLE
        case _:
            return CliCode.COMMAND_REFUSED


def main() -> None:
    """Run the command line. Exit status 1 for a known error, whose text and code are shown without a traceback."""
    # What a client logs about a server that is away is said by the error, too.
    logging.getLogger("aiokafka").addHandler(logging.NullHandler())
    try:
        build_app()()
    except (CommandError, SinkError) as error:
        print(f"hfts: {error} [{code_of(error)}]", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
