"""The OpenAPI document as a plain page: hospitals' networks rarely reach the script servers that the usual viewers load
from. Nothing runs in it, and nothing is loaded."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Any

import msgspec

Json = dict[str, Any]

_STYLE = """
:root { color-scheme: light dark; }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h2 { border-top: 1px solid #8888; padding-top: 1rem; margin-top: 2.5rem; font-size: 1.1rem; overflow-wrap: anywhere; }
pre { background: #8882; padding: .75rem; overflow-x: auto; font-size: .85rem; max-height: 30rem; }
summary { cursor: pointer; padding: .15rem 0; } dt { font-weight: 600; margin-top: .5rem; } dd { margin-left: 1.5rem; }
"""


def page(openapi: Json) -> bytes:
    info = openapi["info"]
    operations = "".join(
        _operation(method, path, operation)
        for path, methods in openapi["paths"].items()
        for method, operation in methods.items()
    )
    return (
        f"<!doctype html><html lang=en><head><meta charset=utf-8><meta name=viewport content='width=device-width'>"
        f"<title>{escape(info['title'])}</title><style>{_STYLE}</style></head><body><main>"
        f"<h1>{escape(info['title'])} {escape(info['version'])}</h1><p>{escape(info['description'])}</p>"
        f"<p>Machine-readable: <a href=openapi.json>openapi.json</a>. This page loads nothing from the internet. "
        f"Each line opens an example.</p>"
        f"{operations}</main></body></html>"
    ).encode()


def _operation(method: str, path: str, operation: Json) -> str:
    parts = [f"<h2><code>{method.upper()} {escape(path)}</code></h2><p><b>{escape(operation['summary'])}</b></p>"]
    if description := operation.get("description"):
        parts.append(f"<p>{escape(description)}</p>")
    if parameters := operation.get("parameters"):
        parts.append(f"<dl>{''.join(_parameter(one) for one in parameters)}</dl>")
    parts += _bodies("Request", operation.get("requestBody", {}))
    for status, said in operation["responses"].items():
        name = f"{status} {said['description']}"
        parts += _bodies(name, said) if "content" in said else [f"<p>{escape(name)}</p>"]
    return "".join(parts)


def _parameter(one: Json) -> str:
    schema = one["schema"]
    values = f" One of {', '.join(schema['enum'])}." if "enum" in schema else ""
    return f"<dt><code>{escape(one['name'])}</code></dt><dd>{escape(one['description'] + values)}</dd>"


def _bodies(name: str, said: Json) -> Iterator[str]:
    for media_type, content in said.get("content", {}).items():
        example = content["example"]
        text = (
            example
            if isinstance(example, str)
            else msgspec.json.format(msgspec.json.encode(example), indent=2).decode()
        )
        yield (
            f"<details><summary>{escape(name)} ({escape(media_type)})</summary>"
            f"<pre tabindex=0>{escape(text)}</pre></details>"
        )
