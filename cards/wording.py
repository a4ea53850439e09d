"""A shown card in words: one summary under 140 code points, one detail in GitHub-flavoured Markdown.

Every text value is escaped on its way into Markdown, whoever wrote it: chart text can hold markup, and
clients render it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from cards.case import Case, Kind
from cards.content import LONGEST_SUMMARY, CardText, Source, fill
from cards.dose_in_words import instead
from cards.facts import Bound, Missing, OralDose, Why
from cards.kidney import KidneyFunction
from cards.outcome import Finding
from cards.quantities import Egfr, Quantity
from cards.triage import SUMMARY_CARD, ShownCard
from cards.values import frozen, frozen_with_once, once

MOST_SOURCES = 4


@frozen
class CardWords:
    summary: str
    detail: str


@frozen_with_once
class Words:
    """All words of the clinic, ready to be filled."""

    texts: Mapping[str, CardText]
    sentences: Mapping[str, str]
    evidence: Mapping[str, Source]
    content_version: str

    def of(self, card: ShownCard) -> CardWords:
        standard = standard_values(card.case)
        if card.rule == SUMMARY_CARD:
            return self._summary_card(card, standard)
        values = {**standard, **card.finding.values, **card.remark_values}
        text = self.texts[card.rule]
        paragraphs = [self._paragraph(text, name, values) for name in card.finding.detail]
        paragraphs += _order_instead(card)
        if card.merged:
            paragraphs.append("**Also:**\n\n" + "\n".join(self._line(other, standard) for other in card.merged))
        remarks = [self.sentences[name] for name in card.remarks if name not in card.finding.detail]
        paragraphs += [fill(sentence, values, _in_markdown) for sentence in remarks]
        paragraphs.append(self._cited[card.rule])
        return CardWords(_summary(text, card.finding.summary, values), "\n\n".join(paragraphs))

    def title(self, rule: str) -> str:
        return "Other baclofen points" if rule == SUMMARY_CARD else self.texts[rule].title

    def _summary_card(self, card: ShownCard, standard: Mapping[str, object]) -> CardWords:
        """``additional-considerations`` (rules.md 5.11): one line for each rule in it."""
        names = [self.texts[finding.rule].title for finding in card.merged]
        summary = "Other baclofen points for this patient: " + "; ".join(names)
        if len(summary) > LONGEST_SUMMARY:
            summary = f"{len(names)} other baclofen points for this patient"
        lines = [self._line(finding, standard) for finding in card.merged]
        sources = [source for finding in card.merged for source in self.texts[finding.rule].sources]
        return CardWords(summary, "\n\n".join(["\n".join(lines), *_order_instead(card), self._sources(sources)]))

    def _paragraph(self, text: CardText, name: str, values: Mapping[str, Any]) -> str:
        return fill(text.detail[name] if name in text.detail else self.sentences[name], values, _in_markdown)

    def _line(self, finding: Finding, standard: Mapping[str, object]) -> str:
        summary = _summary(self.texts[finding.rule], finding.summary, {**standard, **finding.values})
        return f"- **{finding.indicator}** {escape(summary)}"

    @once
    def _cited(self) -> Mapping[str, str]:
        """The last paragraph of each rule's card."""
        return {rule: self._sources(text.sources) for rule, text in self.texts.items()}

    def _sources(self, keys: Sequence[str]) -> str:
        named = list(dict.fromkeys(self.evidence[key] for key in keys if key in self.evidence))[:MOST_SOURCES]
        cited = "; ".join(f"[{escape(s.citation)}]({s.link})" if s.link else escape(s.citation) for s in named)
        return f"Sources: {cited or 'policy of this service'}. Content version {self.content_version}."


def _order_instead(card: ShownCard) -> list[str]:
    doses = instead(card.proposals)
    return [f"**Order instead:** {doses}."] if doses else []


# ----------------------------------------------------------------------------------------------- standard values


def standard_values(case: Case) -> dict[str, object]:
    """The placeholders that every card may use (``sentences.toml``, [placeholders])."""
    kidney = case.kidney if isinstance(case.kidney, KidneyFunction) else None
    return {
        "ordered": case.dose.highest if isinstance(case.dose, OralDose) else _no_dose(case),
        "ordered_start": case.dose.start if isinstance(case.dose, OralDose) else _no_dose(case),
        "current": _current(case),
        "egfr": _as_reported(kidney.egfr, kidney.bound) if kidney and kidney.egfr is not None else "not known",
        "egfr_date": kidney.taken.isoformat() if kidney and kidney.taken else "no date",
        "egfr_days": kidney.age if kidney and kidney.age is not None else "unknown days",
        "egfr_method": (kidney.method if kidney else "") or "method not stated",
        "age": "age not known" if isinstance(case.age, Missing) else case.age,
        "kind": case.kind.value,
        "order": _order(case),
        "today": case.facts.today.isoformat(),
        "kidney": _kidney(case.kidney, case.facts.today),
        "order_count": str(len(case.orders)),
    }


@frozen
class _Bounded:
    """A value that the laboratory gave only as a limit: "below 15 mL/min/1.73 m²"."""

    word: str
    egfr: Egfr

    def __format__(self, spec: str) -> str:
        return f"{self.word} {format(self.egfr, spec)}"


def _as_reported(egfr: Egfr, bound: Bound) -> Egfr | _Bounded:
    match bound:
        case Bound.EXACT:
            return egfr
        case Bound.BELOW:
            return _Bounded("below", egfr)
        case Bound.ABOVE:
            return _Bounded("over", egfr)


def _current(case: Case) -> object:
    if case.kind is Kind.INTRATHECAL:
        return "not compared"
    return "not known" if isinstance(case.current.dose, Missing) else case.current.dose


def _no_dose(case: Case) -> str:
    return "stop" if case.kind is Kind.STOP else "dose not readable"


def _order(case: Case) -> str:
    dose = case.dose
    if not case.orders:
        return "baclofen for another patient"
    if not isinstance(dose, OralDose):
        return f"{case.order.label}, {_no_dose(case)}" if case.kind is not Kind.INTRATHECAL else str(case.order.label)
    needed = " as needed, at most" if dose.as_needed else ","
    steps = " then ".join(str(step.daily) for step in dose.steps)
    return f"{case.order.label}{needed} {steps}"


def _kidney(kidney: KidneyFunction | Missing, today: date) -> str:
    if isinstance(kidney, Missing):
        return f"could not be assessed: {kidney.reason}"
    if kidney.dialysis is not None:
        return f"dialysis ({kidney.dialysis})"
    parts = [_value(kidney, today)]
    if kidney.acute is not None:
        parts.append(f"not in steady state: {kidney.acute.because}")
    return "; ".join([*parts, *kidney.notes])


def _value(kidney: KidneyFunction, today: date) -> str:
    if kidney.egfr is not None:
        days = f"{kidney.age} ago, " if kidney.age is not None else ""
        return f"eGFR {_as_reported(kidney.egfr, kidney.bound)} on {kidney.taken} ({days}{kidney.method})"
    if kidney.last_known is None:
        return "no usable eGFR or creatinine on record"
    value, taken = kidney.last_known
    return (
        f"no usable value in the last 12 months; the last was eGFR {value} on {taken}, {(today - taken).days} days ago"
    )


def unchecked(missing: Sequence[Missing]) -> str:
    """ "problem list and medication list (each: the EHR did not send it); age (no birth date)": each reason once, and
    each input once for a reason."""
    words = {Why.NOT_RECORDED: "not recorded", Why.NOT_AVAILABLE: "not available", Why.UNREADABLE: "unreadable"}
    by_reason: dict[str, list[str]] = {}
    for one in dict.fromkeys(missing):
        by_reason.setdefault(one.reason or words[one.why], []).append(str(one.what))
    return "; ".join(_with_reason(list(dict.fromkeys(inputs)), reason) for reason, inputs in by_reason.items())


def _with_reason(inputs: list[str], reason: str) -> str:
    *others, last = inputs
    return f"{', '.join(others)} and {last} (each: {reason})" if others else f"{last} ({reason})"


# ------------------------------------------------------------------------------------------------------- writing


def escape(text: str) -> str:
    """Text as inert Markdown: no markup, no raw HTML, no automatic links."""
    if not _ANY.search(text):
        return text
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _LINK.sub(r"\1\\\2", _MARKUP.sub(r"\\\1", text))


_ANY = re.compile(r"[&<>\\`*_\[\]#|~!@:.]")
"""What any of the others looks for; most texts hold none of it."""
_MARKUP = re.compile(r"([\\`*_\[\]#|~!@])")
_LINK = re.compile(r"(?i)\b(https?|ftp|javascript|data|mailto|www)([:.])")


def _in_markdown(value: object) -> object:
    match value:
        case str():
            return escape(value)
        case tuple() | list() | frozenset():
            return ", ".join(escape(str(item)) for item in value)
        case _:
            return value


def _plain(value: object) -> object:
    match value:
        case str():
            return value.replace("<", "‹").replace(">", "›")
        case tuple() | list() | frozenset():
            return ", ".join(str(_plain(str(item))) for item in value)
        case _:
            return value


def _summary(text: CardText, variant: str, values: Mapping[str, object]) -> str:
    """The variant, else its short form, else with its free texts cut: never a number lost."""
    for name in (variant, f"{variant}_short"):
        if name in text.summary and len(written := fill(text.summary[name], values, _plain)) <= LONGEST_SUMMARY:
            return written
    shortest = text.summary.get(f"{variant}_short", text.summary[variant])
    return fill(shortest, values, _cut)[:LONGEST_SUMMARY]


def _cut(value: object) -> object:
    plain = _plain(value)
    return plain if isinstance(plain, Quantity) or len(str(plain)) <= 24 else f"{str(plain)[:23]}…"
