"""What in new documents of the contract breaks those who rely on the old ones: routes, topics, codes."""

import re
from collections.abc import Iterator
from typing import Any

from schema_breaks import Comparison, Direction, Schema, resolved

_CODE = re.compile(r"^\| `([a-z_]+)` \| ([a-zA-Z ]+) \|", re.MULTILINE)


def openapi_breaks(old: Schema, new: Schema) -> list[str]:
    """Of two OpenAPI documents."""
    return list(_Routes(old, new).breaks())


def asyncapi_breaks(old: Schema, new: Schema) -> list[str]:
    """Of two AsyncAPI documents."""
    return list(_topic_breaks(old, new))


def code_breaks(old: str, new: str) -> list[str]:
    """Of two pages of codes."""
    gone = set(_CODE.findall(old)) - set(_CODE.findall(new))
    return [f"the code {code} ({place}) is gone" for code, place in sorted(gone)]


class _Routes:
    def __init__(self, old: Schema, new: Schema) -> None:
        self._old = old
        self._new = new
        self._sent = Comparison(old, new, "in")
        self._read = Comparison(old, new, "out")

    def breaks(self) -> Iterator[str]:
        for path, operations in self._old["paths"].items():
            for method, operation in operations.items():
                place = f"{method.upper()} {path}"
                found = self._new["paths"].get(path, {}).get(method)
                if found is None:
                    yield f"{place}: the route is gone"
                    continue
                if "security" in found and "security" not in operation:
                    yield f"{place}: needs a login now"
                yield from self._parameters(operation, found, place)
                yield from self._body(operation, found, place)
                yield from self._answers(operation["responses"], found["responses"], place)

    def _parameters(self, old: Schema, new: Schema, place: str) -> Iterator[str]:
        before, after = _by_name(old), _by_name(new)
        for key, parameter in before.items():
            where = f"{place} {key[1]}"
            if key not in after:
                yield f"{where}: is no longer read"
            else:
                yield from self._sent.breaks(parameter["schema"], after[key]["schema"], where)
        for key, parameter in after.items():
            if parameter.get("required") and not before.get(key, {}).get("required"):
                yield f"{place} {key[1]}: must be sent now"

    def _body(self, old: Schema, new: Schema, place: str) -> Iterator[str]:
        before, after = old.get("requestBody", {}), new.get("requestBody", {})
        if after.get("required") and not before.get("required"):
            yield f"{place}: a body must be sent now"
        if before:
            yield from self._contents(before["content"], after.get("content", {}), f"{place} body", self._sent)

    def _answers(self, old: Schema, new: Schema, place: str) -> Iterator[str]:
        for status, referred in old.items():
            where = f"{place} {status}"
            if status not in new:
                if status < "400":
                    yield f"{where}: the answer is gone"
                continue
            answer, now = resolved(self._old, referred), resolved(self._new, new[status])
            yield from self._contents(answer.get("content", {}), now.get("content", {}), where, self._read)
            for name, header in answer.get("headers", {}).items():
                if name not in now.get("headers", {}):
                    yield f"{where} {name}: the header is gone"
                else:
                    after = resolved(self._new, now["headers"][name])
                    before = resolved(self._old, header)
                    yield from self._read.breaks(before["schema"], after["schema"], f"{where} {name}")

    def _contents(self, old: Schema, new: Schema, place: str, comparison: Comparison) -> Iterator[str]:
        for kind, content in old.items():
            if kind not in new:
                yield f"{place}: {kind} is gone"
            elif "schema" in content:
                yield from comparison.breaks(content["schema"], new[kind].get("schema", {}), place)


def _by_name(operation: Schema) -> dict[tuple[str, str], Any]:
    return {(parameter["in"], parameter["name"]): parameter for parameter in operation.get("parameters", [])}


def _topic_breaks(old: Schema, new: Schema) -> Iterator[str]:
    for name, operation in old["operations"].items():
        if new["operations"].get(name, {}).get("action") != operation["action"]:
            yield f"{name}: is no longer done"
            continue
        channel, channel_now = (resolved(document, document["operations"][name]["channel"]) for document in (old, new))
        if channel["address"] != channel_now["address"]:
            yield f"{name}: the topic {channel['address']} became {channel_now['address']}"
        direction: Direction = "in" if operation["action"] == "receive" else "out"
        for kind, reference in channel["messages"].items():
            if kind not in channel_now["messages"]:
                yield f"{name}: the message {kind} is gone"
            else:
                message, now = resolved(old, reference), resolved(new, channel_now["messages"][kind])
                yield from _message_breaks(message, now, Comparison(old, new, direction), kind)


def _message_breaks(old: Schema, new: Schema, comparison: Comparison, name: str) -> Iterator[str]:
    if old["contentType"] != new["contentType"]:
        yield f"{name}: {old['contentType']} became {new['contentType']}"
    yield from comparison.breaks(old.get("payload", {}), new.get("payload", {}), name)
    yield from comparison.breaks(old["headers"], new["headers"], f"{name} headers")
    yield from comparison.breaks(old["bindings"]["kafka"]["key"], new["bindings"]["kafka"]["key"], f"{name} key")
