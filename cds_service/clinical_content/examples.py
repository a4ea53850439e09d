"""Vignettes in words, and the cards that they get, as a prescriber sees them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from cards.case import Case
from cards.catalogue import Catalogue
from cards.content import fill, named_in
from cards.outcome import Finding
from cards.triage import SUMMARY_CARD, ShownCard
from cards.vignettes import Vignette, all_vignettes, facts_of
from cards.wording import Words, standard_values
from cds_service.clinical_content.markdown import bullets, quote, table
from cds_service.suggestions import Session, suggestions_for

_DRAFT = {"resourceType": "MedicationRequest", "id": "draft", "status": "draft", "intent": "order"}
_ON_CHART = {"resourceType": "MedicationRequest", "id": "current", "status": "active", "intent": "order"}
_SESSION = Session("example", None, {"MedicationRequest/draft": _DRAFT}, chart_order=lambda _: dict(_ON_CHART))


@dataclass(frozen=True, slots=True)
class Example:
    """One vignette and what the clinic makes of it."""

    vignette: Vignette
    cards: tuple[ShownCard, ...]
    findings: tuple[tuple[Case, Finding], ...]


def examples(catalogue: Catalogue) -> list[Example]:
    return [_example(catalogue, vignette) for vignette in all_vignettes()]


def _example(catalogue: Catalogue, vignette: Vignette) -> Example:
    found = catalogue.assess(facts_of(vignette.given))
    findings = tuple((case, outcome) for case, outcome in found.outcomes if isinstance(outcome, Finding))
    return Example(vignette, found.triaged.cards, findings)


# ------------------------------------------------------------------------------------------------ one card, in full


def card_of(rule: str, among: Sequence[Example]) -> tuple[Example, ShownCard, str] | None:
    """The most urgent vignette that shows this rule's card; else one in which another card carries it."""
    shown = [(one, card, "") for one in among for card in one.cards if card.rule == rule]
    inside = [
        (one, ShownCard(case, finding, finding.indicator, proposals=finding.proposals), _carrier(one, rule))
        for one in among
        for case, finding in one.findings
        if finding.rule == rule
    ]
    return max(shown or inside, key=lambda found: found[1].indicator, default=None)


def _carrier(example: Example, rule: str) -> str:
    carriers = [card.rule for card in example.cards if rule in {finding.rule for finding in card.merged}]
    return carriers[0] if carriers else ""


def as_shown(card: ShownCard, words: Words) -> str:
    said = words.of(card)
    parts = [f"**{str(card.indicator).upper()}: {said.summary}**", said.detail]
    if labels := suggestion_labels(card):
        parts.append("Suggestions, each one click:\n\n" + bullets(labels))
    return quote("\n\n".join(parts))


def suggestion_labels(card: ShownCard) -> list[str]:
    """What the buttons say, for an order without further particulars."""
    return [one["label"] for one in suggestions_for(card.proposals, card.case, _SESSION).offered]


def unversioned(words: Words) -> Words:
    """Words whose cards do not name the content version, which changes with every file of ``cards``."""
    return replace(words, content_version="(of the running service)")


# ------------------------------------------------------------------------------------------------- one text, filled

Shown = tuple[str, Case, Finding]
"""Number of a vignette, and a finding that shows the text."""


def findings(among: Sequence[Example]) -> Iterator[Shown]:
    for example in among:
        for case, finding in example.findings:
            yield example.vignette.number, case, finding


def filled(text: str, shown: Shown | None) -> tuple[str, str]:
    """The text with the values of a vignette and its number, else with named blanks: "eGFR ‹egfr›"."""
    blanks = {name: f"‹{name.replace('_', ' ')}›" for name in named_in(text)}
    if shown is None:
        return fill(text, blanks), "blanks" if blanks else "none"
    number, case, finding = shown
    values = {**standard_values(case), **finding.values}
    return fill(text, {**blanks, **{name: _listed(value) for name, value in values.items()}}), number


def _listed(value: object) -> object:
    return ", ".join(map(str, value)) if isinstance(value, tuple | list | frozenset) else value


# ------------------------------------------------------------------------------------------------ vignettes in words


def vignette_table(among: Sequence[Example], words: Words) -> str:
    return table(
        ("no.", "patient", "order", "cards, in the order shown", "approved"),
        (
            (
                f"**{one.vignette.number}** {one.vignette.name}",
                patient(one.vignette.given),
                order(one.vignette.given),
                _cards(one, words),
                "☐ yes ☐ no",
            )
            for one in among
        ),
    )


def _cards(example: Example, words: Words) -> str:
    said = [_card(card, words) for card in example.cards] or ["**no card**"]
    note = f" *{example.vignette.note}*" if example.vignette.note else ""
    return " ".join(f"({n}) {card}" if len(said) > 1 else card for n, card in enumerate(said, 1)) + note


def _card(card: ShownCard, words: Words) -> str:
    parts = [f"**{card.indicator}** `{card.rule}`: {words.of(card).summary}."]
    if card.merged:
        holds = "Contains" if card.rule == SUMMARY_CARD else "Takes in"
        parts.append(f"{holds} {', '.join(f'`{finding.rule}`' for finding in card.merged)}.")
    if labels := suggestion_labels(card):
        parts.append(f"Suggests: {'; '.join(labels)}.")
    return " ".join(parts)


def patient(given: Mapping[str, Any]) -> str:
    """ "58-year-old woman; multiple sclerosis; creatinine 1.25 mg/dL, 60 days ago"."""
    sex = {"female": "woman", "male": "man"} if given["age"] >= 18 else {"female": "girl", "male": "boy"}
    person = f"{given['age']}-year-old {sex.get(given['sex'], 'person')}"
    return "; ".join([person, *_findings(given), *_medicines(given)])


def _findings(given: Mapping[str, Any]) -> Iterator[str]:
    for problem in given.get("problems", ()):
        yield problem if isinstance(problem, str) else f"{problem['name']}{_recorded(problem)}"
    if "weight_kg" in given:
        yield f"{given['weight_kg']} kg"
    if "height_cm" in given:
        yield f"{given['height_cm']} cm"
    for one in given.get("creatinine", ()):
        yield f"creatinine {one['value']}, {_ago(one['days_ago'])}"
    for one in given.get("egfr", ()):
        yield f"eGFR {one['value']}, {_ago(one['days_ago'])}"
    for one in given.get("alcohol", ()):
        result = one.get("value") or ("positive" if one["positive"] else "negative")
        yield f"{one['test']} {result}, {_ago(one['days_ago'])}"
    if "allergy" in given:
        yield f"baclofen {given['allergy']} recorded"


def _medicines(given: Mapping[str, Any]) -> Iterator[str]:
    if current := given.get("current"):
        yield f"takes baclofen {current['dose']}, for {_days(current['for_days'])}{_more(current)}"
    if pump := given.get("pump"):
        yield f"baclofen pump {pump['dose']}, for {_days(pump['for_days'])}"
    for one in given.get("medicines", ()):
        dose = f" {one['dose']}" if "dose" in one else ""
        since = "drafted now" if one.get("draft") else f"for {_days(one['for_days'])}"
        yield f"{one['name']}{dose}, {since}"
    if "naloxone_days_ago" in given:
        yield f"naloxone on file, {_ago(given['naloxone_days_ago'])}"
    if given.get("medicines_unreadable"):
        yield "the medication list cannot be read"
    if "jurisdiction" in given:
        yield f"site in {given['jurisdiction']}"


def _more(current: Mapping[str, Any]) -> str:
    left = f", {_days(current['supply_days_left'])} of supply left" if "supply_days_left" in current else ""
    linked = "" if current.get("linked", True) else ", not linked to the new order"
    earlier = "".join(
        f", earlier {one['dose']} since {_ago(one['since_days_ago'])}" for one in current.get("earlier", ())
    )
    return left + linked + earlier


def _recorded(problem: Mapping[str, Any]) -> str:
    if "recorded" in problem:
        return f", recorded {problem['recorded']}"
    return f", {_ago(problem['days_ago'])}" if "days_ago" in problem else ""


def order(given: Mapping[str, Any]) -> str:
    asked = given["order"]
    if asked.get("stops"):
        return "stop"
    reason = asked.get("reason")
    what = asked.get("intrathecal") or asked.get("dose") or f"free text “{asked['text']}”"
    route = "intrathecal " if "intrathecal" in asked else ""
    stated = {None: "", "": ", no reason given"}.get(reason, f", for {reason}")
    return f"{route}{what}{stated}"


def _ago(days: int) -> str:
    return "today" if days == 0 else f"{_days(days)} ago"


def _days(days: int) -> str:
    return "1 day" if days == 1 else f"{days} days"
