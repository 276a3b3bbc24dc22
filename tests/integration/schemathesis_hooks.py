"""What schemathesis must know beyond the OpenAPI document, so that a valid request is one that can be accepted."""

import itertools
import json
import os
from typing import Any

import schemathesis
from hypothesis import strategies
from schemathesis.core.failures import AcceptedNegativeData
from schemathesis.generation import GenerationMode
from schemathesis.openapi.checks import RejectedPositiveData

KEY = "Idempotency-Key"
_numbers = itertools.count()

# Names such as `.test` are addresses by their form, and nobody's.
schemathesis.openapi.format("email", strategies.emails(domains=strategies.just("example.com")))
# What is easy to guess no schema can say.
schemathesis.openapi.format("password", strategies.uuids().map(str))

# Where a webhook may be: at a public host. Only bodies have this format.
schemathesis.openapi.format("uri", strategies.uuids().map("https://example.com/{}".format))


@schemathesis.serializer("application/x-ndjson")
def serialize_lines(_: Any, value: Any) -> bytes:
    """Text and bytes as they are, and everything else as a batch of one line."""
    if isinstance(value, bytes):
        return value
    return value.encode() if isinstance(value, str) else json.dumps(value).encode()


@schemathesis.deserializer("application/x-ndjson")
def deserialize_lines(_: Any, response: Any) -> Any:
    """The result of the first line."""
    return _first_result(response)


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:  # noqa: ARG001 (names that schemathesis looks for)
    """Valid requests get a new key each, or none beside a transfer_id, and every other wallet they name exists."""
    # No worker runs, so that whoever waits for an outcome waits to the end.
    (case.headers or {}).pop("Prefer", None)
    if case.meta is None or case.meta.generation.mode is not GenerationMode.POSITIVE:
        return
    body = case.body if isinstance(case.body, dict) else {}
    if KEY in case.headers:
        if body.get("transfer_id") is None:
            case.headers[KEY] = f"{next(_numbers)} {case.headers[KEY]}"[:255]
        else:
            del case.headers[KEY]
    _ask_once(case.path, case.query if isinstance(case.query, dict) else {})
    _name_wallet(case.path_parameters, "wallet_id")
    _name_wallet(body, "wallet_id")
    _name_wallet(body, "source_wallet_id")


def _ask_once(path: str, query: dict[str, Any]) -> None:
    """Cursors of lists come from earlier pages; of two ways to say the same one is left, and time goes forwards."""
    if "starting_after" in query:
        query.pop("ending_before", None)
    if path in {"/v1/transfers", "/v1/deliveries"}:
        query.pop("starting_after", None)
        query.pop("ending_before", None)
    if "at" in query:
        query.pop("version", None)
    if path.endswith("/statement"):
        query.pop("to", None)


@schemathesis.hook
def filter_failure(context: Any, failure: Any, case: Any, response: Any) -> bool:  # noqa: ARG001 (likewise)
    """Keep every failure but two: the same id with another content, which is about two requests; and a line of a batch
    that is refused in its result."""
    if isinstance(failure, AcceptedNegativeData) and case.path.endswith("/batch"):
        return "code" not in _first_result(response)
    return not isinstance(failure, RejectedPositiveData) or response.json()["code"] != "idempotency_key_reused"


def _first_result(response: Any) -> Any:
    return json.loads(response.content.splitlines()[0])


def _name_wallet(values: Any, name: str) -> None:
    sent = values.get(name) if isinstance(values, dict) else None
    if isinstance(sent, str) and sent and sent[-1] in "02468ace":
        values[name] = os.environ["WALLET_ID"]
