"""What is worked out once, because charts repeat it: what codes mean, what a status or a route says.

Never what tells one patient from another: no date, no result, no text of a problem.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from cds_service.gather.fhir_values import codings
from cds_service.resources import UNREADABLE, Code, CodeableConcept, Coded, coded

K = TypeVar("K")
T = TypeVar("T")

KEPT = 20_000
LONGEST_KEPT = 1000
"""Answers kept at most, and the characters of a key: these come from outside."""


class Kept(dict[K, T]):
    def __init__(self, work_out: Callable[[K], T], most: int = KEPT) -> None:
        super().__init__()
        self._work_out = work_out
        self._most = most

    def __missing__(self, key: K) -> T:
        answer = self._work_out(key)
        if len(self) >= self._most:
            self.clear()
        if len(str(key)) <= LONGEST_KEPT:
            self[key] = answer
        return answer


class Lookup(Kept[Coded | None, T | None]):
    """What the codes of a problem mean to one reader: codes only, neither texts nor displays. None mean nothing."""

    def __init__(self, meaning: Callable[[Coded], T]) -> None:
        super().__init__(lambda coded: meaning(coded) if coded is not None and coded.coding else None)


class TestLookup(Kept[bytes, T | None]):
    """What ``Observation.code`` means to one reader, by the JSON of it: a laboratory writes each test in one way."""

    def __init__(self, meaning: Callable[[Coded], T]) -> None:
        by_codes = Lookup(meaning)
        super().__init__(lambda written: by_codes[_coded(written)], most=4000)


def codes_of(concept: CodeableConcept | None) -> Coded | None:
    """Those of a problem, without its words."""
    if concept is None or not concept.coding:
        return None
    coding = concept.coding
    if isinstance(coding, tuple) and len(coding) == 1 and (only := coding[0]) is not None:
        return Coded((Code(only.system, only.code),))
    return Coded(tuple([Code(one.system, one.code) for one in codings(concept)]))


def _coded(written: bytes) -> Coded | None:
    try:
        return coded(written)
    except UNREADABLE:
        return None


def _is_malformed(written: bytes) -> bool:
    try:
        coded(written)
    except UNREADABLE:
        return True
    return False


MALFORMED = Kept(_is_malformed, most=4000)
HAS_CODE: TestLookup[bool] = TestLookup(lambda coded: any(one.code for one in codings(coded)))
