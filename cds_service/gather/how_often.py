"""How often, in words: "TID", "every 6 to 8 hours", "3 (three) times a day", "in the morning and at bedtime".

Each part is read at the beginning of a text and returned with what follows it; nothing is searched for inside a text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction

from cds_service.gather.amounts import Exact, Frequency, over

LONGEST = 300
"""A longer text is no sig."""

NUMBERS = {
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10,
    "twelve": 12,
}  # fmt: skip
WORD = "|".join(NUMBERS)
_N = rf"(?:\d{{1,2}}|{WORD})"
_PAREN = rf"(?: ?\((?P<again>{_N})\))?"
TO = r"(?: ?- ?| to | or )"
_GAP = re.compile(r"[ ,;]*")
_BRACKETED_PART = re.compile(r"\((at bedtime|in the morning|in the evening|at night)\)$")


def normal(text: str | None) -> str:
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


def match(pattern: re.Pattern[str], rest: str) -> tuple[re.Match[str], str] | None:
    found = pattern.match(rest)
    if found is None or not found[0]:
        return None
    left = _after(rest, found.end())
    return None if left is None else (found, left)


def _count(text: str) -> int:
    return NUMBERS[text] if text in NUMBERS else int(text)


# ------------------------------------------------------------------------------------------------------- the grammar

_A_DAY = r"(?:daily|(?:a|per|each|every|/) ?day)"
_UP_TO = r"(?P<up_to>up to )?"
_TIMES = re.compile(
    rf"{_UP_TO}(?P<low>{_N})(?: ?\((?P<again>{_N})\))?(?:{TO}(?P<high>{_N}))?(?: times?| ?x) ?{_A_DAY}(?= |,|;|$)"
)
_EVERY = re.compile(
    rf"(?:every|each|q) ?(?P<low>{_N})(?: ?\((?P<again>{_N})\))?(?:{TO}(?P<high>{_N}))? ?"
    r"(?P<unit>hours?|hrs?|h|minutes?|min|days?|d|weeks?|wks?)"
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
    **dict.fromkeys(("weekly", "once weekly", "once a week", "every week"), Fraction(1, 7)),
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


def phrases(*alternatives: str) -> re.Pattern[str]:
    return re.compile("|".join(re.escape(phrase) for phrase in sorted(alternatives, key=len, reverse=True)))


_SIMPLE = re.compile(rf"{_UP_TO}(?P<phrase>{phrases(*_FIXED, *_ALTERNATE).pattern})(?![a-z])")
_ONE_OFF = phrases(*_ONCE)
_PART = phrases(*_PART_OF)
_JOIN = re.compile(r"(?:and |& |, ?|, and )?")
_HOURS: Mapping[str, Exact] = {"h": Fraction(1, 24), "m": Fraction(1, 1440), "d": 1, "w": 7}


def frequency_in(rest: str) -> tuple[Frequency, str] | None:
    read = _times(rest) or _every(rest) or _simple(rest)
    parts, left = _day_parts(read[1] if read else rest)
    if read is None:
        if parts:
            return Frequency(len(parts), day_parts=parts), left
        once = match(_ONE_OFF, rest)
        return None if once is None else (Frequency(1, once=True), once[1])
    if not parts:
        return read
    # "three times daily in the morning": the parts of the day must be as many as the times.
    if read[0].per_day != len(parts):
        return None
    return Frequency(read[0].per_day, read[0].up_to, day_parts=parts), left


def _times(rest: str) -> tuple[Frequency, str] | None:
    read = match(_TIMES, rest)
    if read is None or not _repeats(read[0]):
        return None
    found, left = read
    low, high = _count(found["low"]), _count(found["high"] or found["low"])
    if high < low or high == 0:
        return None
    return Frequency(high, up_to=bool(found["up_to"] or found["high"])), left


def _every(rest: str) -> tuple[Frequency, str] | None:
    read = match(_EVERY, rest)
    if read is None or not _repeats(read[0]):
        return None
    found, left = read
    low, high = _count(found["low"]), _count(found["high"] or found["low"])
    if high < low or low == 0:
        return None
    return Frequency(over(1, low * _HOURS[found["unit"][0]]), up_to=found["high"] is not None), left


def _repeats(found: re.Match[str]) -> bool:
    """ "3 (three) times": the number in brackets must be the same one."""
    return not found["again"] or _count(found["again"]) == _count(found["low"])


def _simple(rest: str) -> tuple[Frequency, str] | None:
    read = match(_SIMPLE, rest)
    if read is None:
        return None
    found, left = read
    phrase = found["phrase"]
    per_day = _FIXED[phrase] if phrase in _FIXED else _ALTERNATE[phrase]
    return Frequency(per_day, up_to=bool(found["up_to"])), left


def _day_parts(rest: str) -> tuple[frozenset[str], str]:
    """ "in the morning and at bedtime"; a part that is said twice ends the list, and so the reading."""
    parts: set[str] = set()
    while (read := match(_PART, rest)) is not None:
        part = _PART_OF[read[0][0]]
        if part in parts:
            return frozenset(), rest
        parts.add(part)
        rest = read[1]
        joined = _JOIN.match(rest)
        if joined and joined[0] and match(_PART, rest[joined.end() :]):
            rest = rest[joined.end() :]
    return frozenset(parts), rest
