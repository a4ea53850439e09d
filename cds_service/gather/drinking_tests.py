"""AUDIT-C, PEth and alcohol in blood or breath: positive, negative, or there and not readable."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from msgspec import UnsetType

from cards.facts import AlcoholFinding, AlcoholTest, ChartText, Origin, Sex
from cards.quantities import plain_number
from cds_service.gather.codes import Recognition
from cds_service.gather.fhir_values import NotANumber, codings, number, texts
from cds_service.gather.measured import NO_RESULT, USABLE, Factor, UnitProblem, Units, converted, taken
from cds_service.resources import Component, Observation, Quantity, quantity

_SET = "alcohol-use-observation"
_BY_FLAG = {"audit-c-score": AlcoholTest.AUDIT_C, "peth": AlcoholTest.PETH, "blood-alcohol": AlcoholTest.ETHANOL}
TEST_FLAGS = frozenset(_BY_FLAG)

_HIGHEST_AUDIT_C = 12
AUDIT_C_IN_MEN, AUDIT_C_IN_OTHERS = 4, 3
"""Positive from here on (E-ALC-02); the lower limit where the sex is not known."""
PETH_NG_PER_ML = Decimal(20)
"""What laboratories call evidence of drinking more than a little."""
ETHANOL_MG_PER_DL = Decimal(10)
"""About what laboratories can detect."""

_ONE, _TEN, _HUNDRED, _THOUSAND = Decimal(1), Decimal(10), Decimal(100), Decimal(1000)
_ETHANOL_MG_PER_MMOL = Decimal("46.07")
_TO_MG_PER_DL: Units[Factor] = Units(
    {
        **dict.fromkeys(("mg/dL", "mg%", "mg/100 mL"), (_ONE, _ONE)),
        **dict.fromkeys(("g/dL", "%"), (_THOUSAND, _ONE)),
        **dict.fromkeys(("g/L", "mg/mL"), (_HUNDRED, _ONE)),
        **dict.fromkeys(("mg/L", "ug/mL", "mcg/mL"), (_ONE, _TEN)),
        "mmol/L": (_ETHANOL_MG_PER_MMOL, _TEN),
        "umol/L": (_ETHANOL_MG_PER_MMOL, _TEN * _THOUSAND),
    }
)
_TO_NG_PER_ML: Units[Factor] = Units(
    {
        **dict.fromkeys(("ng/mL", "ug/L", "mcg/L"), (_ONE, _ONE)),
        **dict.fromkeys(("ug/mL", "mcg/mL", "mg/L"), (_THOUSAND, _ONE)),
    }
)

_POSITIVE_CODES = frozenset({"LA6576-8", "LA11882-0", "10828004", "260373001", "POS", "DET"})
_NEGATIVE_CODES = frozenset({"LA6577-6", "LA11883-8", "260385009", "260415000", "NEG", "ND"})
_POSITIVE_WORDS = frozenset({"positive", "pos", "detected", "present"})
_NEGATIVE_WORDS = frozenset({"negative", "neg", "not detected", "none detected", "absent"})
"""Whole answers, never parts of one."""


@dataclass(frozen=True, slots=True)
class TestKind:
    test: AlcoholTest
    coding: str


def test_kind(found: Recognition) -> TestKind | None:
    flags = found.value_sets.get(_SET, frozenset())
    return next((TestKind(test, found.coding) for flag, test in _BY_FLAG.items() if flag in flags), None)


@dataclass(frozen=True, slots=True)
class _Unread:
    reason: str
    """Reads on after the name of the test."""


@dataclass(frozen=True, slots=True)
class _Result:
    positive: bool
    words: str


def alcohol_finding(
    kind: TestKind, observation: Observation, part: Observation | Component, sex: Sex, today: date
) -> AlcoholFinding | None:
    """``part`` is the Observation, or the component of a panel. ``None``: no result, or one of the future."""
    if observation.status in NO_RESULT or not _has_value(part):
        return None
    moment = taken(observation)
    measured = max(moment.earliest.date(), min(moment.latest.date(), today)) if moment else today
    if measured > today:
        return None
    result = _refused(observation, dated=moment is not None) or _read(kind.test, part, sex)
    return AlcoholFinding(
        test=kind.test,
        positive=None if isinstance(result, _Unread) else result.positive,
        shown=ChartText.clean(f"{kind.test} {result.reason if isinstance(result, _Unread) else result.words}"),
        measured=measured,
        origin=Origin(f"Observation/{observation.id}" if observation.id else "Observation", kind.coding),
    )


def _refused(observation: Observation, *, dated: bool) -> _Unread | None:
    if observation.status not in USABLE:
        return _Unread("is preliminary" if observation.status == "preliminary" else "is not marked as final")
    return None if dated else _Unread("has no date")


def _has_value(part: Observation | Component) -> bool:
    """One that was asked for and declined, or not done, has none."""
    given = quantity(part)
    if given is not None and number(given.value) is not None:
        return True
    return not isinstance(part.valueInteger, UnsetType) or any(True for _ in _answers(part))


def _read(test: AlcoholTest, part: Observation | Component, sex: Sex) -> _Result | _Unread:
    match test:
        case AlcoholTest.AUDIT_C:
            return _score(part, sex)
        case AlcoholTest.PETH:
            return _answer(part) or _concentration(part, _TO_NG_PER_ML, PETH_NG_PER_ML)
        case AlcoholTest.ETHANOL:
            return _answer(part) or _concentration(part, _TO_MG_PER_DL, ETHANOL_MG_PER_DL)


def _score(part: Observation | Component, sex: Sex) -> _Result | _Unread:
    """E-ALC-02: positive from 4 in men, from 3 in women and where the sex is not known."""
    given = quantity(part)
    value = number(given.value) if given else number(part.valueInteger)
    if not isinstance(value, Decimal) or (given and given.comparator):
        return _Unread("is not a number")
    if value != int(value) or not 0 <= value <= _HIGHEST_AUDIT_C:
        return _Unread(f"is not between 0 and {_HIGHEST_AUDIT_C}")
    return _Result(value >= (AUDIT_C_IN_MEN if sex is Sex.MALE else AUDIT_C_IN_OTHERS), plain_number(value))


def _answer(part: Observation | Component) -> _Result | None:
    """A qualitative result in a code or in a whole word."""
    answers = set(_answers(part))
    positive, negative = (
        bool(answers & (codes | words))
        for codes, words in ((_POSITIVE_CODES, _POSITIVE_WORDS), (_NEGATIVE_CODES, _NEGATIVE_WORDS))
    )
    return _Result(positive, "positive" if positive else "negative") if positive != negative else None


def _answers(part: Observation | Component) -> Iterator[str]:
    coded = part.valueCodeableConcept
    yield from (text.casefold() for text in texts(part.valueString, coded.text if coded else None))
    for coding in codings(coded):
        if coding.code is not None:
            yield str(coding.code).strip()
        yield from (text.casefold() for text in texts(coding.display))


def _concentration(part: Observation | Component, factors: Units[Factor], limit: Decimal) -> _Result | _Unread:
    given = quantity(part) or Quantity()
    value = number(given.value)
    if value is None:
        return _Unread("has an answer that is not known")
    if isinstance(value, NotANumber):
        return _Unread(value.reason)
    amount = converted(given, value, factors)
    if isinstance(amount, UnitProblem):
        return _Unread(amount.value)
    sign = (given.comparator or "").strip()
    words = f"{sign}{plain_number(value)} {given.unit or given.code}"
    match sign:
        case "":
            return _Result(amount >= limit, words)
        case "<" | "<=" if amount <= limit:
            return _Result(positive=False, words=words)
        case ">" | ">=" if amount >= limit:
            return _Result(positive=True, words=words)
        case _:
            return _Unread("is given only as a limit")
