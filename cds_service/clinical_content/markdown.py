"""Markdown that GitHub and our page read alike."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

APPROVAL = "☐ yes ☐ no"
"""What a reviewer ticks, beside each number, text and choice."""

_BARE_PIPE = re.compile(r"(?<!\\)\|")


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Empty without rows."""
    lines = [" | ".join(_cell(text) for text in row) for row in rows]
    rule = " | ".join("---" for _ in head)
    return "\n".join(f"| {line} |" for line in (" | ".join(head), rule, *lines)) if lines else ""


def _cell(text: str) -> str:
    return _BARE_PIPE.sub(r"\|", " ".join(text.split())) or "–"


def heading(level: int, text: str) -> str:
    return f"{'#' * level} {text}"


def slug(text: str) -> str:
    """The anchor of a heading, as GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")


def link(text: str, target: str) -> str:
    """Within the document."""
    return f"[{text}](#{target})"


def bullets(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def quote(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in text.splitlines())


def document(blocks: Iterable[str]) -> str:
    return "\n\n".join(block.strip("\n") for block in blocks if block.strip()) + "\n"


def section(level: int, title: str, blocks: Iterable[str]) -> Iterator[str]:
    """The heading only if something stands under it."""
    held = [block for block in blocks if block.strip()]
    if held:
        yield heading(level, title)
        yield from held
