"""The clinical document as one HTML page that loads nothing, for reading and for printing."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files
from itertools import pairwise

from jinja2 import Environment, StrictUndefined
from markdown_it import MarkdownIt
from markdown_it.token import Token

from cards.catalogue import Catalogue
from cds_service.clinical_content.document import clinical_document
from cds_service.clinical_content.markdown import slug
from cds_service.clinical_content.numbers import NOT_READ
from cds_service.clinical_content.question import NOT_REVIEWED

_SOURCE_ID = re.compile(r"`(E-[A-Z]+-\d+)`")
_OF_A_QUESTION = re.compile(r": (numbers|vignettes|what silence means|not covered)$")
_URGENCY = re.compile(r"\*\*(CRITICAL|WARNING|INFO): ")


@dataclass(frozen=True, slots=True)
class Page:
    body: bytes
    policy: str
    """Content-Security-Policy: this page's own style sheet, and nothing else."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the table of contents."""

    level: int
    text: str
    anchor: str


@cache
def content_page(catalogue: Catalogue, *, sandbox: bool = False) -> Page:
    """Written once, in about a second; call it where nobody waits."""
    here = files("cds_service.clinical_content")
    style = (here / "page.css").read_text(encoding="utf-8")
    template = Environment(autoescape=True, undefined=StrictUndefined).from_string(
        (here / "page.html").read_text(encoding="utf-8")
    )
    tokens = _parsed(clinical_document(catalogue, versioned=True))
    chapters = next(n for n, token in enumerate(tokens) if token.type == "heading_open" and token.tag == "h2")
    html = template.render(
        style=style,
        version=catalogue.content_version,
        sandbox=sandbox,
        contents=list(_contents(tokens)),
        front=_html(tokens[:chapters]),
        document=_html(tokens[chapters:]),
    )
    return Page(html.encode(), f"default-src 'none'; style-src 'sha256-{_digest(style)}'; {_NOTHING_ELSE}")


_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table")
_NOTHING_ELSE = "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


def _digest(style: str) -> str:
    return b64encode(sha256(style.encode()).digest()).decode()


# ---------------------------------------------------------------------------------------- what Markdown does not say


def _parsed(markdown: str) -> list[Token]:
    """Anchors for headings and sources, column names for narrow screens, the urgency of cards."""
    tokens = _MARKDOWN.parse(markdown)
    head: list[str] = []
    in_head, column = False, 0
    for n, token in enumerate(tokens):
        following = tokens[n + 1].content if n + 1 < len(tokens) else ""
        match token.type:
            case "heading_open":
                token.attrSet("id", slug(following))
            case "blockquote_open" if found := _URGENCY.match(tokens[n + 2].content):
                token.attrSet("class", found[1].lower())
            case "thead_open":
                in_head, head = True, []
            case "thead_close":
                in_head = False
            case "th_open" if in_head:
                head.append(following)
            case "tr_open":
                column = 0
                if source := _SOURCE_ID.fullmatch(tokens[n + 2].content):
                    token.attrSet("id", source[1].lower())
            case "td_open":
                token.attrSet("data-column", head[column])
                column += 1
            case _:
                pass
    return tokens


def _contents(tokens: Sequence[Token]) -> Iterator[Entry]:
    """Chapters and rules; not the parts that every question has."""
    for token, inline in pairwise(tokens):
        if token.type == "heading_open" and token.tag in ("h2", "h3") and not _OF_A_QUESTION.search(inline.content):
            yield Entry(int(token.tag[1]), inline.content, slug(inline.content))


def _html(tokens: Sequence[Token]) -> str:
    html = str(_MARKDOWN.renderer.render(tokens, _MARKDOWN.options, {}))
    for marked in (NOT_REVIEWED, NOT_READ):
        words = marked.strip("*")
        html = html.replace(f"<strong>{words}</strong>", f'<strong class="alarm">{words}</strong>')
    return html.replace('<a href="http', '<a rel="noopener noreferrer" href="http')
