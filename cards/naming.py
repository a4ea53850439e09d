"""Entries of the chart in words, in an order that does not depend on the record's."""

from __future__ import annotations

from collections.abc import Iterable

from cards.facts import ChartText, Medication, ProblemEntry


def problems(entries: Iterable[ProblemEntry]) -> ChartText:
    """ "Epilepsy (2019-02-03); stroke (no date)", each once."""
    return joined(dated(entry) for entry in entries)


def dated(entry: ProblemEntry) -> str:
    return f"{entry.label} ({entry.recorded or 'no date'})"


def medicines(found: Iterable[Medication]) -> ChartText:
    return joined(str(medicine.label) for medicine in found)


def joined(parts: Iterable[str]) -> ChartText:
    """It holds chart text, so it stays chart text."""
    return ChartText("; ".join(sorted(set(parts))))


def listed(words: Iterable[str]) -> str:
    """ "stroke, dementia and Parkinson disease"."""
    *first, last = words
    return " and ".join(part for part in (", ".join(first), last) if part)
