"""The page and its parts as HTML: templates, style sheet, scripts, and the Markdown of cards."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markdown_it import MarkdownIt

from cards.terminology import FOLDER
from cds_service.workbench.chart import Chart
from cds_service.workbench.patients import FixturePatient

_HERE = Path(__file__).parent
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
"""Content-Security-Policy: this server's own files, and nothing else."""
_TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
_templates = Environment(
    loader=FileSystemLoader(_HERE / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
)


def whole_page(values: Mapping[str, Any], patients: Sequence[FixturePatient]) -> str:
    groups = {one.group: [other for other in patients if other.group == one.group] for one in patients}
    return _templates.get_template("page.html").render(**values, groups=groups, products=products())


def chart_html(chart: Chart) -> str:
    return _templates.get_template("chart.html").render(chart=chart)


@cache
def assets() -> Mapping[str, tuple[bytes, str]]:
    """File name → content and media type."""
    return {one.name: (one.read_bytes(), _TYPES[one.suffix]) for one in sorted((_HERE / "assets").iterdir())}


@cache
def products() -> Mapping[str, Sequence[Mapping[str, str]]]:
    """Route → the baclofen products of RxNorm that an order can be for, brands left out."""
    with (FOLDER / "baclofen-product-strengths.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["system"] == "rxnorm" and "[" not in row["display"]]
    return {route: [row for row in rows if row["route"] == route] for route in ("oral", "intrathecal")}


# -------------------------------------------------------------------------------------------------- Markdown of cards

_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table")


def rendered(texts: Iterable[str]) -> list[str]:
    """GitHub-flavoured Markdown as HTML; HTML in it stays text, links that are not http(s) or mailto stay text."""
    opened = '<a target="_blank" rel="noopener noreferrer" href='
    return [_MARKDOWN.render(text).replace("<a href=", opened) for text in texts]
