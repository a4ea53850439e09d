"""``baclofen-cds explain REQUEST.json``: one request, step by step, in words.

Shows what the prefetch held, each fact with the resource and coding it came from, every rule's outcome with its
numbers, what triage merged or dropped and why, and the cards as a prescriber reads them.
"""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from enum import Enum
from pathlib import Path
from typing import Any

from cards.case import Case
from cards.facts import (
    BaclofenOrder,
    Bound,
    ChartBaclofen,
    Dose,
    Medication,
    MedicationList,
    Missing,
    OralDose,
    Origin,
    PumpDose,
    Unreadable,
)  # fmt: skip
from cards.kidney import KidneyFunction
from cards.outcome import CannotAssess, Finding, NotIndicated, Outcome
from cards.quantities import Quantity
from cds_service.card_builder import Built, encode
from cds_service.gather.orders import concerns_baclofen
from cds_service.hooks import HookCall, parse
from cds_service.records import EXPECTED, NotAvailable, Records
from cds_service.respond import Consultation, Deps, consult
from cds_service.services import HOOKS

WIDTH = 110


def explain(path: Path, deps: Deps, *, as_json: bool) -> str:
    """Raises ``errors.ServiceError`` exactly as the service would answer, and OSError when the file cannot be read."""
    call = parse(_body(path), HOOKS)
    if not concerns_baclofen(call, deps.codes):
        return (
            '{"cards":[]}'
            if as_json
            else "No baclofen order in this request: the answer is no card, and nothing else was read."
        )
    found = consult(call, deps)
    return _as_json(call, found) if as_json else "\n".join(_lines(call, found, deps))


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


# ---------------------------------------------------------------------------------------------------------- as text


def _lines(call: HookCall, found: Consultation, deps: Deps) -> Iterator[str]:
    version = deps.catalogue.content_version
    yield f"{call.hook.value} at {found.facts.now:%Y-%m-%d %H:%M} UTC, clinical content {version}"
    yield from _section("Records", _records(found))
    yield from _section("Facts", _facts(found))
    for case in found.assessment.cases:
        yield from _section("Case", _case(case))
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


def _records(found: Consultation) -> Iterator[str]:
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


def _facts(found: Consultation) -> Iterator[str]:
    facts = found.facts
    yield f"age: {_words(facts.age)}; sex: {facts.sex.value}; setting: {facts.setting.value}"
    for order in facts.orders:
        yield f"order: {_order(order)}"
    for draft in facts.drafted:
        yield f"also drafted: {_medicine(draft)}"
    yield from _listed("kidney result", facts.kidney, ("egfrs", "creatinines", "cystatins"))
    if not isinstance(facts.kidney, Missing):
        yield from (f"kidney result not used: {clause}" for clause in facts.kidney.unreadable)
    yield from _listed("problem", facts.problems, ("entries",))
    yield from _listed("procedure", facts.procedures, ("entries",))
    match facts.medications:
        case Missing() as missing:
            yield f"medications: {_words(missing)}"
        case MedicationList() as chart:
            yield from (f"baclofen on the chart: {_chart(entry)}" for entry in chart.baclofen)
            yield from (f"medicine: {_medicine(entry)}" for entry in chart.others)
            yield from (f"medicine not recognised: {label}" for label in chart.unrecognised)
            yield f"naloxone on file: {chart.rescue_on_file or 'none'}"
            if chart.incomplete:
                yield f"medication list incomplete: {chart.incomplete}"
            if not chart.baclofen and not chart.others:
                yield "medicines that matter here: none on the list"


def _listed(name: str, value: Any, lists: tuple[str, ...]) -> Iterator[str]:
    if isinstance(value, Missing):
        yield f"{name}s: {_words(value)}"
        return
    entries = [entry for each in lists for entry in getattr(value, each)]
    yield from (f"{name}: {_entry(entry)}" for entry in entries)
    if not entries:
        yield f"{name}s: read, none that matters here"
    if value.incomplete:
        yield f"{name}s incomplete: {value.incomplete}"


def _entry(entry: Any) -> str:
    """A result or a problem; what is as usual (exact, indexed, active) is not said."""
    shown = {f.name: getattr(entry, f.name) for f in fields(entry) if f.name not in ("origin", "flags")}
    usual = (None, (), Bound.EXACT, True)
    return ", ".join(_named(name, value) for name, value in shown.items() if value not in usual) + _from(entry.origin)


def _named(name: str, value: object) -> str:
    return f"not {name}" if value is False else _words(value)


def _order(order: BaclofenOrder) -> str:
    parts = [order.label, order.route.value, "stops baclofen" if order.stops else _dose(order.dose)]
    if order.prior:
        parts.append(f"replaces {order.prior}" + ("" if order.prior_found else " (not found)"))
    if order.reason_given:
        parts.append(f"reason given ({', '.join(sorted(order.reasons)) or 'in no class that matters here'})")
    return ", ".join(parts) + _from(order.origin, order.reference)


def _chart(entry: ChartBaclofen) -> str:
    since = f"since {entry.since}" if entry.since else "no start date"
    return f"{entry.label}, {_dose(entry.dose)}, {'ended' if entry.ended else entry.standing.value}, {since}" + _from(
        entry.origin
    )


def _medicine(medicine: Medication) -> str:
    classes = ", ".join(sorted(medicine.classes)) or "another drug"
    amounts = "; ".join(f"{one.name} {one.daily or 'amount not computable'}" for one in medicine.opioids)
    return f"{medicine.label} ({classes}), {medicine.standing.value}{', ' + amounts if amounts else ''}" + _from(
        medicine.origin
    )


def _dose(dose: Dose) -> str:
    match dose:
        case Unreadable(reason=reason):
            return f"dose not computable: {reason}"
        case PumpDose(daily=daily):
            return str(daily)
        case OralDose(steps=steps):
            each = (f"{s.daily} in {s.times_per_day} dose(s){f' for {s.lasts}' if s.lasts else ''}" for s in steps)
            return (
                ", then ".join(each)
                + (" as needed" if dose.as_needed else "")
                + (" (read from text)" if dose.from_text else "")
            )


def _case(case: Case) -> Iterator[str]:
    yield f"kind of order: {case.kind.value}; current baclofen: {_words(case.current.dose)}"
    yield f"stable: {_words(case.stable)}"
    yield f"indication: {case.indication.value}"
    for name in ("exposure", "since_change"):
        if (value := getattr(case.current, name)) is not None:
            yield f"{name.replace('_', ' ')}: {value}"
    match case.kidney:
        case Missing() as missing:
            yield f"kidney function: {_words(missing)}"
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


def _outcomes(outcomes: tuple[tuple[Case, Outcome], ...]) -> Iterator[str]:
    for _, outcome in outcomes:
        match outcome:
            case Finding(rule=rule, indicator=indicator, values=values):
                numbers = ", ".join(
                    f"{name} {_words(value)}" for name, value in values.items() if value not in ("", ())
                )
                yield f"FIRED          {rule}: {indicator}{f' ({numbers})' if numbers else ''}"
            case NotIndicated(rule=rule, because=because):
                yield f"not indicated  {rule}: {because}"
            case CannotAssess(rule=rule, missing=missing):
                yield f"CANNOT ASSESS  {rule}: {'; '.join(_words(gap) for gap in missing)}"


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


# --------------------------------------------------------------------------------------------------------- as words


def _from(origin: Origin, reference: str = "") -> str:
    resource = origin.resource or reference
    how = ", by text only" if origin.by_text else ""
    return f"  [{resource}{': ' + origin.coding if origin.coding else ''}{how}]" if resource else ""


def _words(value: object) -> str:
    match value:
        case Missing(what=what, why=why, reason=reason):
            return f"{why.value}: {what} ({reason})"
        case bool():
            return "yes" if value else "no"
        case datetime():
            return f"{value:%Y-%m-%d}"
        case Quantity() | str() | int() | date():
            return str(value)
        case Enum():
            return str(value.value)
        case tuple() | frozenset() | list():
            return ", ".join(sorted(_words(one) for one in value))
        case None:
            return "unknown"
        case _:
            return type(value).__name__


def _as_json(call: HookCall, found: Consultation) -> str:
    """The same as one JSON object, for tools."""
    outcomes = [{"outcome": type(o).__name__, **_plain(o)} for _, o in found.assessment.outcomes]
    dropped = [_plain(one) for one in found.assessment.triaged.dropped]
    whole = {
        "hook": call.hook.value,
        "facts": _plain(found.facts),
        "kidney": _plain(found.assessment.kidney),
        "outcomes": outcomes,
        "dropped": dropped,
        "cards": json.loads(encode(found.built.cards))["cards"],
    }
    return json.dumps(whole, indent=2, ensure_ascii=False)


def _plain(value: Any) -> Any:
    match value:
        case Quantity():
            return {"value": float(value.value), "unit": value.unit}
        case Enum():
            return value.value if isinstance(value.value, str) else str(value)
        case datetime() | date():
            return value.isoformat()
        case dict():
            return {key: _plain(one) for key, one in value.items()}
        case tuple() | list() | frozenset():
            plain = [_plain(one) for one in value]
            return sorted(plain) if isinstance(value, frozenset) else plain
        case _ if is_dataclass(value):
            return {f.name: _plain(getattr(value, f.name)) for f in fields(value)}
        case _:
            return value
