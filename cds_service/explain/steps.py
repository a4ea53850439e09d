"""The steps of a consultation in words: what was read, what the order is, what each rule said."""

from __future__ import annotations

from collections.abc import Iterator

from cards.case import Case
from cards.facts import Missing
from cards.kidney import KidneyFunction
from cards.outcome import CannotAssess, Finding, NotIndicated, Outcome
from cds_service.explain.words import in_words
from cds_service.records import EXPECTED, NotAvailable, Records
from cds_service.respond import Consultation


def record_lines(found: Consultation) -> Iterator[str]:
    for key in EXPECTED:
        match getattr(found.records, key):
            case NotAvailable(reason=reason):
                yield f"{key}: not available, {reason}"
            case Records() as records:
                yield f"{key}: {_count(records)}"
    if others := found.records.others.resources:
        yield f"other keys: {len(others)} resources, used where a rule needs them"
    if found.records.dropped:
        yield f"{found.records.dropped} resources of another patient: not used"


def _count(records: Records) -> str:
    if not records.resources and not records.unreadable:
        return "read, nothing there" + (f" (incomplete: {records.incomplete})" if records.incomplete else "")
    kinds: dict[str, int] = {}
    for resource in records.resources:
        kinds[type(resource).__name__] = kinds.get(type(resource).__name__, 0) + 1
    parts = [f"{number} {kind}" for kind, number in kinds.items()]
    parts += [f"unreadable {junk.resource_type}/{junk.resource_id} at {junk.reason}" for junk in records.unreadable]
    return ", ".join(parts) + (f" (incomplete: {records.incomplete})" if records.incomplete else "")


def case_lines(case: Case) -> Iterator[str]:
    yield f"kind of order: {case.kind.value}; current baclofen: {in_words(case.current.dose)}"
    yield f"stable: {in_words(case.stable)}"
    yield f"indication: {case.indication.value}"
    for name in ("exposure", "since_change"):
        if (value := getattr(case.current, name)) is not None:
            yield f"{name.replace('_', ' ')}: {value}"
    match case.kidney:
        case Missing() as missing:
            yield f"kidney function: {in_words(missing)}"
        case KidneyFunction() as kidney:
            value = (
                f"eGFR {kidney.egfr} on {kidney.taken}, {kidney.method}"
                if kidney.egfr is not None
                else "no usable value"
            )
            yield f"kidney tier {kidney.tier.value}: {value}{', stale' if kidney.stale else ''}"
            if kidney.acute:
                yield f"possible acute kidney injury: {kidney.acute.because}"
            yield from kidney.notes


def outcome_says(outcome: Outcome) -> str:
    match outcome:
        case Finding(indicator=indicator, values=values):
            numbers = ", ".join(f"{name} {in_words(value)}" for name, value in values.items() if value not in ("", ()))
            return f"{indicator}{f' ({numbers})' if numbers else ''}"
        case NotIndicated(because=because):
            return because
        case CannotAssess(missing=missing):
            return "; ".join(in_words(gap) for gap in missing)
