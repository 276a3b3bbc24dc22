"""Logging of every process of ours: structlog, for people in a terminal or with DEBUG, else one JSON object a line.

Each line carries what is bound to the work in hand (``structlog.contextvars``): in the API the request's id, in a
worker the agent and the places of its batch; and the trace, where there is one.
"""

import logging
import sys
from types import TracebackType

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from sinks.masking import masked
from sinks.tracing import tracing

# What these libraries tell at INFO is of use to nobody who operates the pipeline.
_QUIET = ("faust", "mode", "aiokafka", "asyncio", "stamina", "urllib3")

# It warns whenever more than a hundred records are under way, and then waits, as it should.
_QUIETER = ("faust.transport.producer",)

_FIRST = ("timestamp", "level", "event", "logger")

_log = structlog.get_logger(__name__)


def configure_logging(*, debug: bool) -> None:
    """Send everything to standard error; what libraries say, warnings and an exception that ends the process included,
    takes the same form as ours."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        _add_trace,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    for_people = debug or sys.stderr.isatty()
    renderer: Processor = (
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback)
        if for_people
        else structlog.processors.JSONRenderer()
    )
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                # structlog's own way to show an exception shows every local variable with it, and so passwords
                structlog.processors.format_exc_info,
                _arrange,
                _mask,
                renderer,
            ],
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.DEBUG if debug else logging.INFO, force=True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.INFO if debug else logging.WARNING)
    for name in _QUIETER:
        logging.getLogger(name).setLevel(logging.ERROR)
    logging.captureWarnings(True)
    sys.excepthook = _log_the_end
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def _add_trace(_: WrappedLogger, __: str, event_dict: EventDict) -> EventDict:
    for name, value in tracing().ids().items():
        event_dict.setdefault(name, value)
    return event_dict


def _arrange(_: WrappedLogger, __: str, event_dict: EventDict) -> EventDict:
    """Begin with what every line has, in the same order."""
    return {**{name: event_dict[name] for name in _FIRST if name in event_dict}, **event_dict}


def _mask(_: WrappedLogger, __: str, event_dict: EventDict) -> EventDict:
    return {name: masked(value, name) for name, value in event_dict.items()}


def _log_the_end(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, traceback)
    else:
        _log.critical("process.failed", exc_info=(kind, error, traceback))
