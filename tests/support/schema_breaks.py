"""What in a new JSON Schema breaks those who rely on the old one.

What clients send ("in") must still be taken: the new schema takes whatever the old one took. What they read ("out")
must still be what they expect: the old schema takes whatever the new one takes, but for members they do not know,
which they pass over, and for the values of an enumeration marked ``x-extensible``, which may grow.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

Schema = dict[str, Any]
Direction = Literal["in", "out"]

_UPPER = ("maxLength", "maximum", "exclusiveMaximum", "maxItems", "maxProperties")
_LOWER = ("minLength", "minimum", "exclusiveMinimum", "minItems", "minProperties")
_EXACT = ("pattern", "format", "not", "propertyNames", "multipleOf", "uniqueItems")
_NULL: Schema = {"type": "null"}


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two documents, in which references are looked up."""

    old: Schema
    new: Schema
    direction: Direction

    def breaks(self, old: Schema, new: Schema, place: str, seen: frozenset[str] = frozenset()) -> list[str]:
        """What breaks, each with its place."""
        if old.get("$ref") is not None and old.get("$ref") == new.get("$ref"):
            if old["$ref"] in seen:
                return []
            seen |= {old["$ref"]}
        olds, news = list(_alternatives(self.old, old)), list(_alternatives(self.new, new))
        found = []
        given, taken = (olds, news) if self.direction == "in" else (news, olds)
        for each in given:
            pairs = [(each, other) if self.direction == "in" else (other, each) for other in taken]
            found.append(min((list(self._simple(*pair, place, seen)) for pair in pairs), key=len))
        return [text for texts in found for text in texts]

    def _simple(self, old: Schema, new: Schema, place: str, seen: frozenset[str]) -> Iterator[str]:
        if not _is_type_kept(old.get("type"), new.get("type"), self.direction):
            yield f"{place}: the type {old.get('type')} became {new.get('type')}"
            return
        yield from self._values(old, new, place)
        yield from self._bounds(old, new, place)
        if "properties" in old or "properties" in new or "additionalProperties" in old:
            yield from self._members(old, new, place, seen)
        if "items" in old or "items" in new:
            yield from self.breaks(old.get("items", {}), new.get("items", {}), f"{place}[]", seen)

    def _values(self, old: Schema, new: Schema, place: str) -> Iterator[str]:
        before, after = _values_of(old), _values_of(new)
        grows = old.get("x-extensible") is True
        if before is not None and after is not None:
            if self.direction == "in" or grows:
                yield from (f"{place}: the value {value!r} is gone" for value in before if value not in after)
            if self.direction == "out" and not grows:
                yield from (f"{place}: the value {value!r} is new" for value in after if value not in before)
        elif before is None and after is not None and self.direction == "in":
            yield f"{place}: only some values are taken now"
        elif before is not None and after is None and (self.direction == "out" or grows):
            yield f"{place}: the values are no longer enumerated"

    def _bounds(self, old: Schema, new: Schema, place: str) -> Iterator[str]:
        is_in = self.direction == "in"
        for word in (*_UPPER, *_LOWER):
            before, after = old.get(word), new.get(word)
            if before == after:
                continue
            is_tighter = before is None or (after is not None and (after < before) == (word in _UPPER))
            if is_tighter == is_in:
                yield f"{place}: {word} {before} became {after}"
        for word in _EXACT:
            before, after = old.get(word), new.get(word)
            if before != after and (after if is_in else before) is not None:
                yield f"{place}: {word} {before} became {after}"

    def _members(self, old: Schema, new: Schema, place: str, seen: frozenset[str]) -> Iterator[str]:
        before, after = old.get("properties", {}), new.get("properties", {})
        needed, needs = set(old.get("required", [])), set(new.get("required", []))
        yield from (f"{place}.{name}: the field is gone" for name in before if name not in after)
        if self.direction == "in":
            yield from (f"{place}.{name}: must be sent now" for name in sorted(needs - needed))
        else:
            yield from (f"{place}.{name}: may be missing now" for name in sorted((needed - needs) & after.keys()))
        for name in before.keys() & after.keys():
            yield from self.breaks(before[name], after[name], f"{place}.{name}", seen)
        others, other = old.get("additionalProperties", True), new.get("additionalProperties", True)
        if self.direction == "in" and others is not False and other is False:
            yield f"{place}: unknown fields are refused now"
        if isinstance(others, dict) and isinstance(other, dict):
            yield from self.breaks(others, other, f"{place}.*", seen)


def resolved(document: Schema, schema: Schema) -> Schema:
    """The schema that a reference leads to, with what stands beside the reference."""
    while "$ref" in schema:
        target: Any = document
        for part in schema["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        schema = {**target, **{name: value for name, value in schema.items() if name != "$ref"}}
    return schema


def _alternatives(document: Schema, schema: Schema) -> Iterator[Schema]:
    """The schemas of which one must hold, each of a single type."""
    schema = resolved(document, schema)
    for word in ("anyOf", "oneOf"):
        if word in schema:
            beside = {name: value for name, value in schema.items() if name != word}
            for each in schema[word]:
                yield from _alternatives(document, {**beside, **resolved(document, each)})
            return
    kinds = schema.get("type")
    values = _values_of(schema)
    if isinstance(kinds, list):
        for kind in kinds:
            yield from _alternatives(document, _NULL if kind == "null" else {**schema, "type": kind})
    elif values is not None and None in values:
        yield from _alternatives(document, {**schema, "enum": [value for value in values if value is not None]})
        yield _NULL
    elif kinds is None and values and all(isinstance(value, str) for value in values):
        yield {**schema, "type": "string"}
    else:
        yield schema


def _values_of(schema: Schema) -> list[Any] | None:
    found: list[Any] | None = [schema["const"]] if "const" in schema else schema.get("enum")
    return found


def _is_type_kept(old: str | None, new: str | None, direction: Direction) -> bool:
    given, taken = (old, new) if direction == "in" else (new, old)
    return taken is None or given == taken or (given == "integer" and taken == "number")
