"""The page about topics, made of the AsyncAPI document: plain HTML, without a script."""

import json
import re
from collections.abc import Iterator
from html import escape
from typing import Any

_DAY_MS = 24 * 3_600_000
_CODE = re.compile(r"`([^`]+)`")
_ENUM_SHOWN = 12

Document = dict[str, Any]


def topics_page(document: Document) -> str:
    """The page as HTML. Whatever stands in the document is text."""
    info = document["info"]
    channels = document["channels"]
    actions = {
        operation["channel"]["$ref"].rsplit("/", 1)[1]: operation["action"]
        for operation in document["operations"].values()
    }
    listed = "".join(f'<li><a href="#{name}">{escape(found["address"])}</a></li>' for name, found in channels.items())
    sections = "".join(
        _section(name, channel, actions[name], _message(document, channel)) for name, channel in channels.items()
    )
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(info["title"])}</title>
<link rel="icon" href="static/favicon.png">
<link rel="stylesheet" href="static/topics.css">
</head>
<body>
<a class="skip" href="#topics">Skip to the topics</a>
<header>
<h1>{escape(info["title"])}</h1>
{_paragraphs(info["description"])}
<p>Version {escape(info["version"])}. The same for programs: <a href="../asyncapi.json">asyncapi.json</a>
(AsyncAPI 3.0). The HTTP API is at <a href="../docs">/docs</a>, every code at
<a href="../v1/errors">/v1/errors</a>.</p>
<nav aria-label="Topics"><ul>{listed}</ul></nav>
</header>
<main id="topics">
{sections}</main>
</body>
</html>
"""


def _section(name: str, channel: Document, action: str, message: Document) -> str:
    kafka = channel["bindings"]["kafka"]
    config = kafka["topicConfiguration"]
    writer = "Written by producers, and by the API for them" if action == "receive" else "Written by the pipeline"
    key = message["bindings"]["kafka"]["key"]
    facts = {
        "Key": key["description"],
        "Value": message["contentType"],
        "Kept for": _duration(config["retention.ms"]),
        "Largest record": f"{config['max.message.bytes'] // 1024:,} KiB",
        "Partitions": f"{kafka['partitions']} by default, the same number for all topics",
    }
    listed = "".join(f"<dt>{term}</dt><dd>{_text(fact)}</dd>" for term, fact in facts.items())
    (example,) = message["examples"]
    value, headers = message.get("payload"), message["headers"]
    shown = {"headers": example["headers"], "value": example["payload"]}
    return f"""<section aria-labelledby="{name}">
<p class="direction {action}">{writer}</p>
<h2 id="{name}">{escape(channel["address"])}</h2>
<p>{_text(channel["summary"])}</p>
<dl>{listed}</dl>
{_table("Value", name, value) if value else ""}{_table("Headers", name, headers) if headers["properties"] else ""}
<h3 id="{name}-example">Example</h3>
<pre tabindex="0" aria-labelledby="{name}-example"><code>{_json(shown)}</code></pre>
</section>
"""


def _table(caption: str, name: str, schema: Document) -> str:
    required = set(schema.get("required", []))
    rows = "".join(
        f'<tr><th scope="row"><code>{escape(field)}</code></th><td>{_kind(found)}</td>'
        f"<td>{'always' if field in required else 'optional'}</td><td>{_rules(found)}</td></tr>"
        for field, found in schema["properties"].items()
    )
    head = "".join(f'<th scope="col">{title}</th>' for title in ("name", "type", "there", "what it is"))
    label = f"{name}-{caption.lower()}"
    return f"""<div class="scroll" role="region" aria-labelledby="{label}" tabindex="0"><table>
<caption id="{label}">{caption}</caption>
<thead><tr>{head}</tr></thead>
<tbody>{rows}</tbody></table></div>
"""


def _kind(schema: Document) -> str:
    kinds = schema.get("type", "string")
    kind = " or ".join(kinds) if isinstance(kinds, list) else kinds
    return escape(f"{kind}, {schema['format']}" if "format" in schema else kind)


def _rules(schema: Document) -> str:
    told = [schema["description"]] if "description" in schema else []
    values = [json.dumps(value) if value is None else str(value) for value in schema.get("enum", [])]
    if values and len(values) <= _ENUM_SHOWN:
        may_grow = ", and more in time" if schema.get("x-extensible") else ""
        told.append("One of " + ", ".join(f"`{value}`" for value in values) + may_grow + ".")
    if "maxLength" in schema:
        told.append(f"At most {schema['maxLength']} characters.")
    if "maxProperties" in schema:
        told.append(
            f"At most {schema['maxProperties']} names of {schema['propertyNames']['maxLength']} characters, "
            f"each with a text of at most {schema['additionalProperties']['maxLength']}."
        )
    if not told and "format" not in schema and "pattern" in schema:
        told.append(f"As `{schema['pattern']}`.")
    return " ".join(map(_text, told))


def _message(document: Document, channel: Document) -> Document:
    (name,) = channel["messages"]
    found: Document = document["components"]["messages"][name]
    return found


def _paragraphs(text: str) -> str:
    return "".join(f"<p>{_text(paragraph)}</p>\n" for paragraph in _split(text))


def _split(text: str) -> Iterator[str]:
    return (" ".join(paragraph.split()) for paragraph in text.split("\n\n"))


def _text(text: str) -> str:
    return _CODE.sub(r"<code>\1</code>", escape(text))


def _json(value: Any) -> str:
    return escape(json.dumps(value, indent=2, ensure_ascii=False))


def _duration(milliseconds: int) -> str:
    return "ever" if milliseconds < 0 else f"{milliseconds // _DAY_MS} days"
