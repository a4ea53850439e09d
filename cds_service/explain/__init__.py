"""``baclofen-cds explain REQUEST.json``: one request, step by step, in words.

Shows what the prefetch held, each fact with the resource and coding it came from, every rule's outcome with its
numbers, what triage merged or dropped and why, and the cards as a prescriber reads them.
"""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path

from cards.case import Case
from cards.outcome import CannotAssess, Finding, NotIndicated, Outcome
from cds_service.card_builder import Built
from cds_service.explain.fact_lines import fact_lines
from cds_service.explain.steps import case_lines, outcome_says, record_lines
from cds_service.explain.tree import as_json as tree_of
from cds_service.gather.orders import concerns_baclofen
from cds_service.hooks import HookCall, parse
from cds_service.records import collect
from cds_service.respond import Consultation, Deps, consult
from cds_service.services import HOOKS

WIDTH = 110
NO_BACLOFEN = "No baclofen order in this request: the answer is no card, and nothing else was read."


def explain(path: Path, deps: Deps, *, as_json: bool) -> str:
    """Raises ``errors.ServiceError`` exactly as the service would answer, and OSError when the file cannot be read."""
    call = parse(_body(path), HOOKS)
    if not concerns_baclofen(call, deps.codes):
        return '{"cards":[]}' if as_json else NO_BACLOFEN
    found = consult(call, collect(call, deps.aliases), deps)
    return tree_of(call, found) if as_json else "\n".join(_lines(call, found, deps))


def _body(path: Path) -> bytes:
    """The hook request; a captured ``{method, path, headers, body}`` is unwrapped."""
    raw = path.read_bytes()
    try:
        captured = json.loads(raw)
    except ValueError:
        return raw
    if isinstance(captured, dict) and "hook" not in captured and isinstance(captured.get("body"), dict):
        return json.dumps(captured["body"]).encode()
    return raw


def _lines(call: HookCall, found: Consultation, deps: Deps) -> Iterator[str]:
    version = deps.catalogue.content_version
    yield f"{call.hook.value} at {found.facts.now:%Y-%m-%d %H:%M} UTC, clinical content {version}"
    yield from _section("Records", record_lines(found))
    yield from _section("Facts", fact_lines(found))
    for case in found.assessment.cases:
        yield from _section("Case", case_lines(case))
    yield from _section("Rules", _outcomes(found.assessment.outcomes))
    dropped = [f"{one.rule}: {one.why}" for one in found.assessment.triaged.dropped]
    yield from _section("Triage", dropped or ["nothing merged, nothing dropped"])
    yield from _section("Cards", _cards(found.built))


def _section(title: str, lines: Iterator[str] | list[str]) -> Iterator[str]:
    yield ""
    yield title
    yield "-" * len(title)
    for line in lines:
        yield from textwrap.wrap(line, WIDTH, subsequent_indent="    ", break_long_words=False) or [""]


def _outcomes(outcomes: tuple[tuple[Case, Outcome], ...]) -> Iterator[str]:
    for _, outcome in outcomes:
        yield f"{_HEADINGS[type(outcome)]:<15}{outcome.rule}: {outcome_says(outcome)}"


_HEADINGS = {Finding: "FIRED", NotIndicated: "not indicated", CannotAssess: "CANNOT ASSESS"}


def _cards(built: Built) -> Iterator[str]:
    if not built.cards:
        yield "no card"
    for rule, left_out in built.not_offered:
        yield f"not offered on {rule}: {type(left_out.proposal).__name__}, {left_out.reason}"
    for card in built.cards:
        yield ""
        yield f"[{card['indicator'].upper()}] {card['summary']}"
        for paragraph in card.get("detail", "").split("\n"):
            if paragraph.strip():
                yield "  " + re.sub(r"\\([\\`*_\[\]#|~!@:.])", r"\1", paragraph)
        for suggestion in card.get("suggestions", ()):
            yield f"  -> {suggestion['label']}"
