"""The exact grammar of free text sigs ("1 tab PO TID", "take 5-10 mg by mouth three times daily as needed").

A text is read whole or not at all: one word outside the grammar and the answer is ``None``. There is no search for a
dose inside other text and no similarity. ``read_frequency`` is the timing part alone, for ``timing.code``.
"""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal

from cards.facts import Route
from cards.quantities import Days
from cards.values import frozen
from cds_service.gather.amounts import Amount, Frequency, of_unit, unit_named
from cds_service.gather.how_often import NUMBERS, TO, WORD, frequency_in, match, normal, phrases


@frozen
class Sig:
    """What a text says, all of it. A part that the text leaves out is empty."""

    amounts: tuple[Amount, ...] = ()
    """One dose, perhaps said twice: "1 tablet (10 mg total)"."""
    frequency: Frequency | None = None
    as_needed: bool = False
    route: Route | None = None
    lasts: Days | None = None


def read_sig(text: str | None) -> Sig | None:
    """``None`` unless every word is understood and no part is said twice."""
    rest = normal(text)
    if not rest:
        return None
    rest = _LEAD.sub("", rest, count=1)
    found: dict[str, object] = {}
    if (dose := _amounts(rest)) is not None:
        found["amounts"], rest = dose
    while rest:
        read = next(((name, *got) for name, part in _PARTS_OF_A_SIG if (got := part(rest)) is not None), None)
        if read is None or read[0] in found:
            return None
        name, value, rest = read
        if name != "aside":
            found[name] = value
    return Sig(**found) if "amounts" in found or "frequency" in found else None  # type: ignore[arg-type]


def read_frequency(text: str | None) -> Frequency | None:
    """A text that holds a frequency and at most "as needed" beside it: "Q4H PRN", "3 times a day with meals"."""
    sig = read_sig(text)
    if sig is None or sig.frequency is None or sig.amounts or sig.route or sig.lasts:
        return None
    return replace(sig.frequency, as_needed=sig.as_needed)


def read_clock_times(text: str | None) -> Frequency | None:
    """Times of the day: "0900 & 1800"."""
    if not _CLOCK_TIMES.fullmatch(plain := normal(text)):
        return None
    times = re.findall(_CLOCK, plain)
    parts = frozenset(f"{time[:2]}:{time[2:]}" for time in times)
    return Frequency(len(times), day_parts=parts) if len(parts) == len(times) else None


# ------------------------------------------------------------------------------------------------------ how much

_LEAD = re.compile(r"(?:baclofen )?(?:(?:please )?(?:take|give|swallow|use) )?")
_CLOCK = r"(?:[01]\d|2[0-3])[0-5]\d"
_CLOCK_TIMES = re.compile(rf"{_CLOCK}(?:(?: ?(?:&|and|,|;) ?| ){_CLOCK})*")
_DECIMAL = r"\d{1,4}(?:\.\d{1,3})?|\.\d{1,3}"
_QUANTITY = rf"(?:\d{{1,2}} )?1/[24]|3/4|one[- ]half|half|{_DECIMAL}|{WORD}"
_UNIT = r"[a-zµμ]+(?:\(s\))?"
_AMOUNT = re.compile(
    rf"(?P<low>{_QUANTITY})(?: ?\((?P<again>{_DECIMAL}|{WORD})\))?(?:{TO}(?P<high>{_QUANTITY}))? ?"
    rf"(?:of )?(?:an? )?(?P<unit>{_UNIT})"
)
_SECOND = re.compile(
    rf"(?:= ?(?P<bare>{_QUANTITY}) ?(?P<bare_unit>{_UNIT})|"
    rf"\((?P<low>{_DECIMAL})(?:{TO}(?P<high>{_DECIMAL}))? ?(?P<unit>{_UNIT})(?: total| per dose)?\))"
)


def _amounts(rest: str) -> tuple[tuple[Amount, ...], str] | None:
    read = match(_AMOUNT, rest)
    if read is None:
        return None
    found, left = read
    if found["again"] and _value(found["again"]) != _value(found["low"]):
        return None
    one = _amount(found["low"], found["high"], found["unit"])
    if one is None:
        return None
    second = match(_SECOND, left)
    if second is None:
        return (one,), left
    found, left = second
    same = _amount(found["low"] or found["bare"], found["high"], found["unit"] or found["bare_unit"])
    return None if same is None else ((one, same), left)


def _amount(low: str, high: str | None, unit: str) -> Amount | None:
    named = unit_named(unit)
    start, end = _value(low), _value(high or low)
    if named is None or end < start:
        return None
    return of_unit(end, named, ranged=high is not None)


def _value(text: str) -> Decimal:
    """ "1 1/2", "half", "three", "7.5"."""
    if text in ("half", "one-half", "one half"):
        return Decimal("0.5")
    if text in NUMBERS:
        return Decimal(NUMBERS[text])
    whole, _, part = text.rpartition(" ")
    if "/" in part:
        top, bottom = part.split("/")
        return Decimal(whole or 0) + Decimal(top) / Decimal(bottom)
    return Decimal(text)


# ------------------------------------------------------------------------------------------------- everything else

_ROUTES = {
    Route.ORAL: phrases(
        "by mouth", "po", "p.o.", "p.o", "oral", "orally", "per os", "oral route", "via g-tube", "via g tube",
        "per g-tube",
        "via gastrostomy tube", "per gastrostomy tube", "via feeding tube", "via peg tube", "per peg tube",
        "via nasogastric tube", "via ng tube", "enterally",
    ),
    Route.INTRATHECAL: phrases("intrathecally", "intrathecal", "by intrathecal route", "via intrathecal pump"),
}  # fmt: skip
_COMPLAINT = r"(?:muscle )?(?:spasms?|spasticity|stiffness|cramps?|tightness|tension|pain|hiccups)"
_WHAT_FOR = rf"for {_COMPLAINT}(?: (?:and|or) {_COMPLAINT})?"
_NEEDED = r"(?:prn|p\.r\.n\.?|(?:as|if|when) (?:needed|required|necessary))[:,]?(?: as needed)?"
WORDS_OF_NEED = re.compile(r"prn|p\.r\.n|needed|required|necessary", re.IGNORECASE)
"""Without one of these no text says "as needed"."""
_PRN = re.compile(rf"{_NEEDED}(?: {_WHAT_FOR})?")
_REASON = re.compile(_WHAT_FOR)
_FOR_DAYS = re.compile(rf"(?:for|x) ?(?P<n>\d{{1,3}}|{WORD}) ?(?P<unit>days?|d|weeks?|wks?)")
_FOOD = phrases(
    "with food", "with meals", "with milk", "with or without food", "with water", "after meals", "before meals",
    "after food",
)  # fmt: skip


def _route(rest: str) -> tuple[Route, str] | None:
    for route, pattern in _ROUTES.items():
        if (read := match(pattern, rest)) is not None:
            return route, read[1]
    return None


def _as_needed(rest: str) -> tuple[bool, str] | None:
    read = match(_PRN, rest)
    return None if read is None else (True, read[1])


def _lasts(rest: str) -> tuple[Days, str] | None:
    read = match(_FOR_DAYS, rest)
    if read is None:
        return None
    days = int(_value(read[0]["n"])) * (7 if read[0]["unit"][0] == "w" else 1)
    return (Days.of(days), read[1]) if days > 0 else None


def _aside(rest: str) -> tuple[None, str] | None:
    """Words that change no number: with food, and what it is for."""
    read = match(_FOOD, rest) or match(_REASON, rest)
    return None if read is None else (None, read[1])


_PARTS_OF_A_SIG = (
    ("route", _route), ("frequency", frequency_in), ("as_needed", _as_needed), ("lasts", _lasts), ("aside", _aside),
)  # fmt: skip
