"""The grammar of free text sigs: what it reads, and that everything else is not read at all."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cards.facts import Route
from cards.quantities import Days
from cds_service.gather.amounts import Measure
from cds_service.gather.sig import Sig, read_clock_times, read_frequency, read_sig

MG, ML, EACH = Measure.MG, Measure.ML, Measure.EACH

# text: amounts of one dose, times a day
READ: dict[str, tuple[list[tuple[str, Measure]], Fraction | int]] = {
    "1 tab PO TID": ([("1", EACH)], 3),
    "10 mg by mouth three times daily": ([("10", MG)], 3),
    "take 1 tablet three times a day": ([("1", EACH)], 3),
    "5 mg po bid prn": ([("5", MG)], 2),
    "Take 1 tablet (10 mg total) by mouth 3 (three) times a day.": ([("1", EACH), ("10", MG)], 3),
    "Take 1-2 tablets by mouth every 6-8 hours as needed for muscle spasms": ([("2", EACH)], 4),
    "Take 5 to 10 mg by mouth 3 times daily": ([("10", MG)], 3),
    "10 mg = 1 tab, Oral, TID": ([("10", MG), ("1", EACH)], 3),
    "take 5 mg (1 tablet) tid": ([("5", MG), ("1", EACH)], 3),
    "Baclofen 10 mg PO TID": ([("10", MG)], 3),
    "½ tablet twice daily": ([("0.5", EACH)], 2),
    "take one-half tablet by mouth twice a day with food": ([("0.5", EACH)], 2),
    "Take half a tablet at bedtime": ([("0.5", EACH)], 1),
    "take 1 1/2 tablets tid": ([("1.5", EACH)], 3),
    "2.5 mg t.i.d.": ([("2.5", MG)], 3),
    "10mg tid": ([("10", MG)], 3),
    "5000 mcg po tid": ([("5", MG)], 3),
    "5 mL po qid": ([("5", ML)], 4),
    "2 tabs po q8h": ([("2", EACH)], 3),
    "10 mg PO q 8 h": ([("10", MG)], 3),
    "two tablets 3x a day": ([("2", EACH)], 3),
    "1 tab po 3x/day": ([("1", EACH)], 3),
    "1 tab qAM": ([("1", EACH)], 1),
    "20 mg nightly": ([("20", MG)], 1),
    "1 tab po in the morning and at bedtime": ([("1", EACH)], 2),
    "1 tablet every morning, every evening and at bedtime": ([("1", EACH)], 3),
    "1 tab daily at bedtime": ([("1", EACH)], 1),
    "10 mg every other day": ([("10", MG)], Fraction(1, 2)),
    "10 mg by mouth up to 3 times daily as needed": ([("10", MG)], 3),
    "5 mg TID x 7 days": ([("5", MG)], 3),
    "1 tab po tid for spasticity": ([("1", EACH)], 3),
    "1 tablet via g-tube TID": ([("1", EACH)], 3),
    "TAKE 1 TABLET BY MOUTH THREE TIMES DAILY": ([("1", EACH)], 3),
}

NOT_READ = (
    "",
    "as directed",
    "take as directed",
    "per taper schedule",
    # two doses, or two frequencies
    "5 mg TID then 10 mg TID",
    "1 tablet in the morning and 2 tablets at bedtime",
    "1 tablet (20 mg) tid and 1 tablet qhs",
    "10 mg tid tid",
    "10 mg tid, max 20 mg a day",
    "10 mg daily bid",
    "1 tab three times daily at bedtime",
    "increase by 5 mg every 3 days",
    "take 1 tablet tid, may increase to 2 tablets",
    # a word that is not understood
    "1 tab TID #90",
    "1 tab po tid do not crush",
    "not 10 mg tid",
    "10 mg tab po tid",
    "1 10 mg tablet tid",
    "1 puff tid",
    "10 units tid",
    # numbers that are no numbers
    "1.5.5 mg tid",
    "1,5 mg tid",
    "10,000 mg tid",
    "-5 mg tid",
    "2-1 tab tid",
    "1/0 tab tid",
    "take 1 (two) tablets tid",
    "Take 1 tablet 3 (two) times a day",
    "10 mg 0 times a day",
    "10 mg q0h",
    "10 mg every 8-6 hours",
    # parts of words
    "tidbit",
    "10 mgs tidy",
    "10 mg tid" + " " * 400,
)


@pytest.mark.parametrize("text", READ)
def test_read_whole(text: str) -> None:
    sig = read_sig(text)
    assert sig is not None
    amounts, times = READ[text]
    assert [(f"{one.value.normalize():f}", one.measure) for one in sig.amounts] == amounts
    assert sig.frequency is not None
    assert sig.frequency.per_day == times


@pytest.mark.parametrize("text", NOT_READ)
def test_not_read(text: str) -> None:
    assert read_sig(text) is None


def test_the_other_parts_of_a_sig() -> None:
    read = read_sig("Take 1-2 tablets by mouth every 6 to 8 hours as needed for spasms for 2 weeks")
    assert read is not None
    assert read.frequency is not None
    assert (read.route, read.as_needed, read.lasts, read.frequency.up_to) == (Route.ORAL, True, Days.of(14), True)
    assert read.amounts[0].ranged


def test_intrathecal_route() -> None:
    read = read_sig("400 mcg intrathecal daily")
    assert read is not None
    assert read.route is Route.INTRATHECAL
    assert read.amounts[0].in_micrograms


@pytest.mark.parametrize(
    ("text", "per_day"),
    [
        ("BID", 2), ("Q4H PRN", 6), ("every 4 hr", 6), ("every 8 hours", 3), ("three times daily", 3),
        ("3 times a day", 3), ("Once a day (at bedtime)", 1), ("Daily", 1), ("four times a day before meals", 4),
        ("QHS", 1), ("every 12 hours", 2),
    ],
)  # fmt: skip
def test_frequency_texts(text: str, per_day: int) -> None:
    read = read_frequency(text)
    assert read is not None
    assert read.per_day == per_day


@pytest.mark.parametrize(("text", "times"), [("0900 & 1800", 2), ("0600, 1400, 2200", 3), ("0900", 1)])
def test_clock_times(text: str, times: int) -> None:
    read = read_clock_times(text)
    assert read is not None
    assert read.per_day == times


@pytest.mark.parametrize("text", ["0900 & 0900", "2500", "0960", "0900 PRN", "12"])
def test_no_clock_times(text: str) -> None:
    assert read_clock_times(text) is None


@pytest.mark.parametrize("text", ["See admin instructions", "10 mg tid", "tid po", "0900 & 1800", "TID for 7 days"])
def test_not_a_frequency(text: str) -> None:
    assert read_frequency(text) is None


_SAFE = st.sampled_from(
    [
        "take",
        "1",
        "2",
        "1/2",
        "one",
        "(one)",
        "10",
        "mg",
        "tab",
        "tablets",
        "ml",
        "po",
        "by",
        "mouth",
        "tid",
        "bid",
        "daily",
        "every",
        "8",
        "6-8",
        "hours",
        "q8h",
        "times",
        "3",
        "x",
        "day",
        "as",
        "needed",
        "prn",
        "for",
        "spasm",
        "7",
        "days",
        "and",
        "at",
        "bedtime",
        "in",
        "the",
        "morning",
        "or",
        "to",
        "-",
        ",",
        "/",
    ]
)


@given(st.one_of(st.text(max_size=80), st.lists(_SAFE, max_size=12).map(" ".join)))
def test_never_raises(text: str) -> None:
    for read in (read_sig(text), read_frequency(text)):
        assert read is None or isinstance(read, Sig) or read.per_day > 0


@given(st.sampled_from(sorted(READ)), st.sampled_from(["maybe", "10", "mg", "then", "not", "xyz", "#30"]))
def test_a_foreign_word_spoils_the_whole(text: str, word: str) -> None:
    assert read_sig(f"{word} {text}") is None or word in ("10", "mg")
    assert read_sig(f"{text.rstrip('.')} {word}") is None
