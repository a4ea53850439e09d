"""Numbers, dates and references as FHIR and real EHRs write them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET, Raw

from cds_service.gather.fhir_values import (
    NotANumber,
    Precision,
    first,
    first_when,
    is_patient,
    many,
    number,
    same_resource,
    target,
    when,
)


@pytest.mark.parametrize(
    ("written", "value"),
    [("1", "1"), ("2.50", "2.50"), ("-0.5", "-0.5"), ("1e2", "100"), ("0e999999999", "0"), ("-0", "0")],
)
def test_numbers_are_exact(written: str, value: str) -> None:
    read = number(Raw(written))
    assert isinstance(read, Decimal)
    assert read == Decimal(value)


def test_decimals_keep_their_digits() -> None:
    assert str(number(Raw("2.50"))) == "2.50"


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ('"22"', "is text, not a number"), ("true", "is not a number"), ("{}", "is not a number"),
        ("[1]", "is not a number"),
        ("1e400", "is out of range"), ("1e-20", "is out of range"), ("1" * 41, "is out of range"),
    ],
)  # fmt: skip
def test_no_numbers(written: str, reason: str) -> None:
    assert number(Raw(written)) == NotANumber(reason)


def test_absent_numbers() -> None:
    assert number(UNSET) is None
    assert number(Raw("null")) is None


def _utc(year: int, month: int, day: int, *time: int) -> datetime:
    hour, minute, second, fraction = (*time, 0, 0, 0, 0)[:4]
    return datetime(year, month, day, hour, minute, second, fraction, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "earliest", "latest", "precision", "day"),
    [
        ("2026", _utc(2026, 1, 1), _utc(2026, 12, 31, 23, 59, 59, 999999), Precision.YEAR, None),
        ("2028-02", _utc(2028, 2, 1), _utc(2028, 2, 29, 23, 59, 59, 999999), Precision.MONTH, None),
        ("2026-11-23", _utc(2026, 11, 23), _utc(2026, 11, 23, 23, 59, 59, 999999), Precision.DAY, date(2026, 11, 23)),
        ("9999-12-31", _utc(9999, 12, 31), _utc(9999, 12, 31, 23, 59, 59, 999999), Precision.DAY, date(9999, 12, 31)),
    ],
)
def test_partial_dates_span_what_they_may_mean(
    text: str, earliest: datetime, latest: datetime, precision: Precision, day: date | None
) -> None:
    read = when(text)
    assert read is not None
    assert (read.earliest, read.latest, read.precision, read.day) == (earliest, latest, precision, day)


@pytest.mark.parametrize(
    ("text", "taken"),
    [
        ("2026-11-23T12:00:00Z", _utc(2026, 11, 23, 12)),
        ("2026-11-23T12:00:00.5Z", _utc(2026, 11, 23, 12, 0, 0, 500000)),
        ("2026-11-23T23:30:00-05:00", _utc(2026, 11, 24, 4, 30)),
        ("2026-11-23T00:30:00+0200", _utc(2026, 11, 22, 22, 30)),
        ("2026-11-23T12:00", _utc(2026, 11, 23, 12)),
        ("2026-11-23 12:00:00", _utc(2026, 11, 23, 12)),
        ("2026-12-31T23:59:60Z", _utc(2026, 12, 31, 23, 59, 59)),
    ],
)
def test_times_in_utc(text: str, taken: datetime) -> None:
    read = when(text)
    assert read is not None
    assert (read.earliest, read.latest, read.day) == (taken, taken, taken.date())


@pytest.mark.parametrize(
    "text", [None, "", "soon", "2026-13", "2026-02-30", "26-11-23", "20261123", "2026-11-23T25:00Z", "0000", "٢٠٢٦"]
)
def test_no_dates(text: str | None) -> None:
    assert when(text) is None


def test_first_readable_date() -> None:
    read = first_when(None, "soon", "2026-11-23", "2026-01-01")
    assert read is not None
    assert read.day == date(2026, 11, 23)


@pytest.mark.parametrize(
    ("reference", "key", "base"),
    [
        ("Medication/m1", "Medication/m1", ""),
        ("Medication/m1/_history/2", "Medication/m1", ""),
        ("https://ehr.example/fhir/Medication/m1", "Medication/m1", "https://ehr.example/fhir"),
        ("https://ehr.example/fhir//Medication/m1/_history/2", "Medication/m1", "https://ehr.example/fhir"),
        ("#m1", "#m1", ""),
        ("urn:uuid:ABC-1", "urn:uuid:abc-1", ""),
        ("m1", "m1", ""),
    ],
)
def test_references(reference: str, key: str, base: str) -> None:
    read = target(reference)
    assert read is not None
    assert (read.key, read.base) == (key, base)


@pytest.mark.parametrize(
    "reference", [None, "", "Medication?code=1", "Patient/..", "..", "Patient/p 1", "a/b/c", "ftp://x/Patient/1"]
)
def test_no_references(reference: str | None) -> None:
    assert target(reference) is None


def test_same_resource() -> None:
    assert same_resource("MedicationRequest/1", "https://ehr.example/fhir/MedicationRequest/1/_history/7")
    assert same_resource("1", "MedicationRequest/1")
    assert not same_resource("MedicationRequest/1", "MedicationStatement/1")
    assert not same_resource("#1", "#1")
    assert not same_resource(None, None)


@pytest.mark.parametrize(
    ("reference", "same"),
    [
        ("Patient/p1", True), ("p1", True), ("https://ehr.example/Patient/p1", True), ("urn:uuid:P1", True),
        ("#p", True), ("Patient/p2", False), ("Practitioner/p1", False), ("Patient/P1", False), (None, False),
        ("Patient?x=p1", False),
    ],
)  # fmt: skip
def test_is_patient(reference: str | None, same: bool) -> None:
    assert is_patient(reference, "p1") is same


def test_one_or_many() -> None:
    assert many(None) == ()
    assert many("a") == ("a",)
    some: Any = ["a", None, "b"]
    assert many(some) == ("a", "b")
    assert first(None, 0, 1) == 0


@given(st.text(max_size=40))
def test_texts_never_raise(text: str) -> None:
    when(text)
    target(text)
    is_patient(text, "p1")
