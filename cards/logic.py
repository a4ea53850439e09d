"""A rule in plain sentences, for the clinician who reviews it (card.toml, ``[cards.RULE.logic]``).

Numbers stand in these sentences only as placeholders of parameters, ``{harm_at_least}`` of the same file or
``{dosing.start_k3}`` of a shared one, so that a sentence cannot say another number than the one that decides.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, TypeVar

from cards.outcome import (
    ChangeDose,
    CoPrescribeNaloxone,
    Indicator,
    LimitSupply,
    OrderTest,
    Proposal,
    StopExisting,
    Taper,
    Test,
    WithdrawOrder,
)  # fmt: skip
from cards.quantities import Quantity
from cards.values import frozen

_PLACEHOLDER = re.compile(r"\{([\w.]+)(:n)?\}")
_NUMBER = re.compile(r"\b\d")
_K = TypeVar("_K", Indicator, "Offer")


class Offer(StrEnum):
    """What a card can suggest with one click."""

    CHANGE_DOSE = "change-dose"
    TAPER = "taper"
    WITHDRAW_ORDER = "withdraw-order"
    STOP_EXISTING = "stop-existing"
    ORDER_CREATININE = "order-creatinine"
    ORDER_CYSTATIN_C = "order-cystatin-c"
    CO_PRESCRIBE_NALOXONE = "co-prescribe-naloxone"
    LIMIT_SUPPLY = "limit-supply"


def offer_of(proposal: Proposal) -> Offer:
    match proposal:
        case ChangeDose():
            return Offer.CHANGE_DOSE
        case Taper():
            return Offer.TAPER
        case WithdrawOrder():
            return Offer.WITHDRAW_ORDER
        case StopExisting():
            return Offer.STOP_EXISTING
        case OrderTest(test=Test.CREATININE):
            return Offer.ORDER_CREATININE
        case OrderTest():
            return Offer.ORDER_CYSTATIN_C
        case CoPrescribeNaloxone():
            return Offer.CO_PRESCRIBE_NALOXONE
        case LimitSupply():
            return Offer.LIMIT_SUPPLY


@frozen
class Logic:
    """Each text is whole, its numbers filled in."""

    when: tuple[str, ...]
    """All of these hold."""
    then: tuple[tuple[Indicator, str], ...]
    """Indicator → the condition that gives it; the first that holds decides."""
    suggests: tuple[tuple[Offer, str], ...]
    unless: tuple[str, ...]
    """Any of these: silence."""


class LogicError(ValueError):
    """A sentence that cannot be shown; ``cure`` says how to mend it."""

    def __init__(self, wrong: str, cure: str) -> None:
        super().__init__(wrong)
        self.wrong, self.cure = wrong, cure


def sentences(given: object, numbers: Mapping[str, Quantity], *, may_be_empty: bool = False) -> tuple[str, ...]:
    """A list of sentences with their placeholders filled. Raises ``LogicError``."""
    if not isinstance(given, list) or not all(isinstance(one, str) and one.strip() for one in given):
        raise LogicError("is not a list of sentences", "write a list of texts")
    if not given and not may_be_empty:
        raise LogicError("has no sentence", "write at least one")
    return tuple(_filled(one.strip(), numbers) for one in given)


def logic(entry: Mapping[str, Any], numbers: Mapping[str, Quantity], indicators: frozenset[Indicator]) -> Logic:
    """The table of one card. Raises ``LogicError``."""
    if entry.keys() != {"when", "then", "suggests", "unless"}:
        raise LogicError(f"has the keys {sorted(entry)}", "write when, then, suggests and unless")
    then = _keyed(sentences(entry["then"], numbers), {str(indicator): indicator for indicator in Indicator})
    if {indicator for indicator, _ in then} != indicators:
        raise LogicError(
            f"then names {sorted({str(i) for i, _ in then})}, indicators {sorted(map(str, indicators))}",
            "make both name the same indicators",
        )
    return Logic(
        when=sentences(entry["when"], numbers),
        then=then,
        suggests=_keyed(sentences(entry["suggests"], numbers, may_be_empty=True), {str(one): one for one in Offer}),
        unless=sentences(entry["unless"], numbers, may_be_empty=True),
    )


def _keyed(lines: tuple[str, ...], keys: Mapping[str, _K]) -> tuple[tuple[_K, str], ...]:
    """ "warning: the step is too large" → (WARNING, "the step is too large")."""
    found = []
    for line in lines:
        key, colon, text = line.partition(": ")
        if not colon or key not in keys:
            raise LogicError(
                f"the line {line[:40]!r} has no key", f"begin it with one of {', '.join(keys)} and a colon"
            )
        found.append((keys[key], text))
    return tuple(found)


def _filled(sentence: str, numbers: Mapping[str, Quantity]) -> str:
    if _NUMBER.search(_PLACEHOLDER.sub("", sentence)):
        raise LogicError(f"a number stands in {sentence[:60]!r}", "write the {parameter} that holds it")

    def one(match: re.Match[str]) -> str:
        if match[1] not in numbers:
            raise LogicError(
                f"{{{match[1]}}} is no parameter", "name one of this file, or dosing.NAME, kidney.NAME, case.NAME"
            )
        return format(numbers[match[1]], "n" if match[2] else "")

    return _PLACEHOLDER.sub(one, sentence)
