"""What the codings of a concept mean to one reader, worked out once: charts repeat few of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from cds_service.resources import CodeableConcept, Coding

T = TypeVar("T")

Coded = tuple[str | None, str | int | float | None]
"""System and code as sent."""

KEPT = 20_000
LONGEST_KEPT = 400
"""Meanings kept at most, and the characters of their codings: these come from outside."""


class Lookup(Generic[T]):
    """Codes only: neither texts nor displays are kept, nor may the meaning depend on them."""

    def __init__(self, meaning: Callable[[CodeableConcept], T]) -> None:
        self._meaning = meaning
        self._kept: dict[Coded | tuple[Coded, ...], T] = {}

    def __call__(self, concept: CodeableConcept | None) -> T | None:
        """``None`` without a coding."""
        if concept is None or not concept.coding:
            return None
        coding = concept.coding
        key: Coded | tuple[Coded, ...]
        if isinstance(coding, Coding):
            key = (coding.system, coding.code)
        elif len(coding) == 1 and (only := coding[0]) is not None:
            key = (only.system, only.code)
        else:
            key = tuple([(one.system, one.code) for one in coding if one is not None])
        try:
            return self._kept[key]
        except KeyError:
            meaning = self._meaning(concept)
        if len(self._kept) >= KEPT:
            self._kept.clear()
        if len(str(key)) <= LONGEST_KEPT:
            self._kept[key] = meaning
        return meaning
