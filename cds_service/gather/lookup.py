"""What the codes of a concept mean to one reader, worked out once: charts repeat few of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from cds_service.gather.fhir_values import codings
from cds_service.resources import Code, CodeableConcept, Coded

T = TypeVar("T")

KEPT = 20_000
LONGEST_KEPT = 400
"""Meanings kept at most, and the characters of their codes: these come from outside."""


class Lookup(dict[Coded | None, T | None]):
    """Codes only: neither texts nor displays are kept, nor may the meaning depend on them. Nothing is meant by none."""

    def __init__(self, meaning: Callable[[Coded], T]) -> None:
        super().__init__()
        self._meaning = meaning

    def __missing__(self, coded: Coded | None) -> T | None:
        if coded is None or not coded.coding:
            return None
        meaning = self._meaning(coded)
        if len(self) >= KEPT:
            self.clear()
        if len(str(coded)) <= LONGEST_KEPT:
            self[coded] = meaning
        return meaning


def coded(concept: CodeableConcept | None) -> Coded | None:
    """Its codes without its words."""
    if concept is None or not concept.coding:
        return None
    return Coded(coding=tuple([Code(system=one.system, code=one.code) for one in codings(concept)]))


def has_code(coded: Coded | None) -> bool:
    return any(one.code for one in codings(coded))
