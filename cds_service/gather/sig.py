"""The exact grammar of free text sigs ("1 tab PO TID", "take 5-10 mg by mouth three times daily as needed").

A text is read whole or not at all: one word outside the grammar and the answer is ``None``. There is no search for a dose
inside other text and no similarity. ``read_frequency`` is the timing part alone, for ``timing.code`` texts and displays.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction

from cards.facts import Route
from cards.quantities import Days
from cds_service.gather.amounts import Amount, Frequency, of_unit, unit_named

LONGEST = 300


@dataclass(frozen=True, slots=True)
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
    rest = _normal(text)
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
    rest = _normal(text)
    clock = _CLOCK_TIMES.fullmatch(rest)
    if clock:
        times = re.findall(r"[0-2]\d[0-5]\d", rest)
        parts = frozenset(f"{time[:2]}:{time[2:]}" for time in times)
        return Frequency(Fraction(len(times)), day_parts=parts) if len(parts) == len(times) else None
    sig = read_sig(rest)
    if sig is None or sig.frequency is None or sig.amounts or sig.route or sig.lasts:
        return None
    return replace(sig.frequency, as_needed=sig.as_needed)


# ------------------------------------------------------------------------------------------------------ the words

_NUMBERS = {
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10,
    "twelve": 12,
}  # fmt: skip
_WORD = "|".join(_NUMBERS)
_N = rf"(?:\d{{1,2}}|{_WORD})"
_PAREN = rf"(?: ?\((?P<again>{_N})\))?"
_TO = r"(?: ?- ?| to | or )"
_LEAD = re.compile(r"(?:baclofen )?(?:(?:please )?(?:take|give|swallow|use) )?")
_CLOCK_TIMES = re.compile(r"[0-2]\d[0-5]\d(?:(?: ?(?:&|and|,|;) ?| )[0-2]\d[0-5]\d)*")
_GAP = re.compile(r"[ ,;]*")
_BRACKETED_PART = re.compile(r"\((at bedtime|in the morning|in the evening|at night)\)$")


def _normal(text: str | None) -> str:
    """Lower case, single spaces, without a final full stop; empty when absent or too long to be a sig."""
    if not text or len(text) > LONGEST:
        return ""
    plain = re.sub(r"\s+", " ", text.lower().replace("–", "-").replace("½", " 1/2")).strip().rstrip(".;, ")
    return _BRACKETED_PART.sub(r"\1", plain)


def _after(rest: str, end: int) -> str | None:
    """What follows a part; ``None`` when the part would end inside a word."""
    if end < len(rest) and (rest[end - 1].isalnum() and rest[end].isalnum()):
        return None
    return rest[_GAP.match(rest, end).end() :]  # type: ignore[union-attr]  # matches the empty string too


def _match(pattern: re.Pattern[str], rest: str) -> tuple[re.Match[str], str] | None:
    found = pattern.match(rest)
    if found is None or not found[0]:
        return None
    left = _after(rest, found.end())
    return None if left is None else (found, left)


def _count(text: str) -> Fraction:
    return Fraction(_NUMBERS[text]) if text in _NUMBERS else Fraction(text)


# ------------------------------------------------------------------------------------------------------ how much

_DECIMAL = r"\d{1,4}(?:\.\d{1,3})?|\.\d{1,3}"
_QUANTITY = rf"(?:\d{{1,2}} )?1/[24]|3/4|one[- ]half|half|{_DECIMAL}|{_WORD}"
_UNIT = r"[a-zµμ]+(?:\(s\))?"
_AMOUNT = re.compile(
    rf"(?P<low>{_QUANTITY})(?: ?\((?P<again>{_DECIMAL}|{_WORD})\))?(?:{_TO}(?P<high>{_QUANTITY}))? ?(?:of )?(?:an? )?(?P<unit>{_UNIT})"
)
_SECOND = re.compile(rf"(?:= ?(?P<bare>{_QUANTITY}) ?(?P<bare_unit>{_UNIT})|\((?P<low>{_DECIMAL})(?:{_TO}(?P<high>{_DECIMAL}))? ?(?P<unit>{_UNIT})(?: total| per dose)?\))")


def _amounts(rest: str) -> tuple[tuple[Amount, ...], str] | None:
    read = _match(_AMOUNT, rest)
    if read is None:
        return None
    found, left = read
    if found["again"] and _value(found["again"]) != _value(found["low"]):
        return None
    one = _amount(found["low"], found["high"], found["unit"])
    if one is None:
        return None
    second = _match(_SECOND, left)
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
    """"1 1/2", "half", "three", "7.5"."""
    if text in ("half", "one-half", "one half"):
        return Decimal("0.5")
    if text in _NUMBERS:
        return Decimal(_NUMBERS[text])
    whole, _, part = text.rpartition(" ")
    if "/" in part:
        top, bottom = part.split("/")
        return Decimal(whole or 0) + Decimal(top) / Decimal(bottom)
    return Decimal(text)


# ----------------------------------------------------------------------------------------------------- how often

_A_DAY = r"(?:daily|(?:a|per|each|every|/) ?day)"
_UP_TO = r"(?P<up_to>up to )?"
_TIMES = re.compile(
    rf"{_UP_TO}(?P<low>{_N})(?: ?\((?P<again>{_N})\))?(?:{_TO}(?P<high>{_N}))?(?: times?| ?x) ?{_A_DAY}(?= |,|;|$)"
)
_EVERY = re.compile(
    rf"(?:every|each|q) ?(?P<low>{_N})(?: ?\((?P<again>{_N})\))?(?:{_TO}(?P<high>{_N}))? ?(?P<unit>hours?|hrs?|h|minutes?|min|days?|d|weeks?|wks?)"
)
_FIXED = {
    "bid": 2, "b.i.d": 2, "b.i.d.": 2, "bd": 2, "twice daily": 2, "twice a day": 2, "twice per day": 2,
    "tid": 3, "t.i.d": 3, "t.i.d.": 3, "tds": 3, "thrice daily": 3, "thrice a day": 3,
    "qid": 4, "q.i.d": 4, "q.i.d.": 4, "qds": 4,
    "qd": 1, "q.d": 1, "q.d.": 1, "qday": 1, "q day": 1, "once daily": 1, "once a day": 1, "once per day": 1,
    "once every day": 1, "daily": 1, "every day": 1, "each day": 1,
}  # fmt: skip
_ALTERNATE = {
    "qod": Fraction(1, 2), "q.o.d.": Fraction(1, 2), "every other day": Fraction(1, 2),
    "weekly": Fraction(1, 7), "once weekly": Fraction(1, 7), "once a week": Fraction(1, 7), "every week": Fraction(1, 7),
}  # fmt: skip
_ONCE = ("once", "one time", "one-time", "x1", "x 1", "stat", "single dose", "once only")
_PARTS = {
    "MORN": ("every morning", "each morning", "in the morning", "qam", "am", "a.m.", "morning"),
    "NOON": ("at noon", "noon", "at midday", "at lunch"),
    "AFT": ("every afternoon", "in the afternoon", "afternoon"),
    "EVE": ("every evening", "each evening", "in the evening", "qpm", "pm", "p.m.", "evening"),
    "NIGHT": ("every night", "each night", "at night", "nightly", "night"),
    "HS": ("every night at bedtime", "nightly at bedtime", "at bedtime", "bedtime", "qhs", "hs", "h.s.", "before bed"),
}
_PART_OF = {phrase: part for part, phrases in _PARTS.items() for phrase in phrases}


def _words(*phrases: str) -> re.Pattern[str]:
    return re.compile("|".join(re.escape(phrase) for phrase in sorted(phrases, key=len, reverse=True)))


_SIMPLE = re.compile(rf"{_UP_TO}(?P<phrase>{_words(*_FIXED, *_ALTERNATE).pattern})(?![a-z])")
_ONE_OFF = _words(*_ONCE)
_PART = _words(*_PART_OF)
_JOIN = re.compile(r"(?:and |& |, ?|, and )?")
_HOURS = {"h": Fraction(1, 24), "m": Fraction(1, 1440), "d": Fraction(1), "w": Fraction(7)}


def _frequency(rest: str) -> tuple[Frequency, str] | None:
    read = _times(rest) or _every(rest) or _simple(rest)
    parts, left = _day_parts(read[1] if read else rest)
    if read is None:
        if parts:
            return Frequency(Fraction(len(parts)), day_parts=parts), left
        once = _match(_ONE_OFF, rest)
        return None if once is None else (Frequency(Fraction(1), once=True), once[1])
    if not parts:
        return read
    # "three times daily in the morning": the parts of the day must be as many as the times.
    if read[0].per_day != len(parts):
        return None
    return Frequency(read[0].per_day, read[0].up_to, day_parts=parts), left


def _times(rest: str) -> tuple[Frequency, str] | None:
    read = _match(_TIMES, rest)
    if read is None or not _repeats(read[0]):
        return None
    found, left = read
    low, high = _count(found["low"]), _count(found["high"] or found["low"])
    if high < low or high == 0:
        return None
    return Frequency(high, up_to=bool(found["up_to"] or found["high"])), left


def _every(rest: str) -> tuple[Frequency, str] | None:
    read = _match(_EVERY, rest)
    if read is None or not _repeats(read[0]):
        return None
    found, left = read
    low, high = _count(found["low"]), _count(found["high"] or found["low"])
    if high < low or low == 0:
        return None
    return Frequency(1 / (low * _HOURS[found["unit"][0]]), up_to=found["high"] is not None), left


def _repeats(found: re.Match[str]) -> bool:
    """ "3 (three) times": the number in brackets must be the same one."""
    return not found["again"] or _count(found["again"]) == _count(found["low"])


def _simple(rest: str) -> tuple[Frequency, str] | None:
    read = _match(_SIMPLE, rest)
    if read is None:
        return None
    found, left = read
    phrase = found["phrase"]
    per_day = Fraction(_FIXED[phrase]) if phrase in _FIXED else _ALTERNATE[phrase]
    return Frequency(per_day, up_to=bool(found["up_to"])), left


def _day_parts(rest: str) -> tuple[frozenset[str], str]:
    """ "in the morning and at bedtime"; a part that is said twice ends the list, and so the reading."""
    parts: set[str] = set()
    while (read := _match(_PART, rest)) is not None:
        part = _PART_OF[read[0][0]]
        if part in parts:
            return frozenset(), rest
        parts.add(part)
        rest = read[1]
        joined = _JOIN.match(rest)
        if joined and joined[0] and _match(_PART, rest[joined.end() :]):
            rest = rest[joined.end() :]
    return frozenset(parts), rest


# ------------------------------------------------------------------------------------------------- everything else

_ROUTES = {
    Route.ORAL: _words(
        "by mouth", "po", "p.o.", "p.o", "oral", "orally", "per os", "oral route", "via g-tube", "via g tube", "per g-tube",
        "via gastrostomy tube", "per gastrostomy tube", "via feeding tube", "via peg tube", "per peg tube",
        "via nasogastric tube", "via ng tube", "enterally",
    ),
    Route.INTRATHECAL: _words("intrathecally", "intrathecal", "by intrathecal route", "via intrathecal pump"),
}  # fmt: skip
_COMPLAINT = r"(?:muscle )?(?:spasms?|spasticity|stiffness|cramps?|tightness|tension|pain|hiccups)"
_WHAT_FOR = rf"for {_COMPLAINT}(?: (?:and|or) {_COMPLAINT})?"
_PRN = re.compile(rf"(?:prn|p\.r\.n\.?|(?:as|if|when) (?:needed|required|necessary))[:,]?(?: as needed)?(?: {_WHAT_FOR})?")
_REASON = re.compile(_WHAT_FOR)
_FOR_DAYS = re.compile(rf"(?:for|x) ?(?P<n>\d{{1,3}}|{_WORD}) ?(?P<unit>days?|d|weeks?|wks?)")
_FOOD = _words("with food", "with meals", "with milk", "with or without food", "with water", "after meals", "before meals", "after food")


def _route(rest: str) -> tuple[Route, str] | None:
    for route, pattern in _ROUTES.items():
        if (read := _match(pattern, rest)) is not None:
            return route, read[1]
    return None


def _as_needed(rest: str) -> tuple[bool, str] | None:
    read = _match(_PRN, rest)
    return None if read is None else (True, read[1])


def _lasts(rest: str) -> tuple[Days, str] | None:
    read = _match(_FOR_DAYS, rest)
    if read is None:
        return None
    days = int(_count(read[0]["n"])) * (7 if read[0]["unit"][0] == "w" else 1)
    return (Days.of(days), read[1]) if days > 0 else None


def _aside(rest: str) -> tuple[None, str] | None:
    """Words that change no number: with food, and what it is for."""
    read = _match(_FOOD, rest) or _match(_REASON, rest)
    return None if read is None else (None, read[1])


_PARTS_OF_A_SIG = (
    ("route", _route), ("frequency", _frequency), ("as_needed", _as_needed), ("lasts", _lasts), ("aside", _aside),
)  # fmt: skip
