"""The bibliography is complete and honest: each entry says what was read; what nobody read is marked so."""

from __future__ import annotations

import re
import tomllib
from typing import Any

import pytest

from tests.architecture.source import ROOT

EVIDENCE: dict[str, dict[str, Any]] = tomllib.loads((ROOT / "cards/evidence.toml").read_text("utf-8"))
WANTED = {"citation", "says", "strength", "status", "read", "url", "link"}


def test_entries_are_complete() -> None:
    for key, entry in EVIDENCE.items():
        assert entry.keys() >= WANTED, key
        assert entry.keys() <= WANTED | {"secondary", "unverified"}, key
        assert entry["citation"].strip(), key
        assert entry["says"].endswith("."), key
        assert entry["read"].strip(), key
        assert entry["status"] in {"verified", "verified-secondary", "to-verify", "policy"}, key
        assert set(entry["strength"].split("/")) <= {"A", "B", "C", "D", ""}, key


def test_what_was_not_read_shows_no_address_and_no_strength() -> None:
    unread = [entry for entry in EVIDENCE.values() if entry["status"] in {"to-verify", "policy"}]
    assert unread
    assert {(entry["url"], entry["link"], entry["strength"]) for entry in unread} == {("", "", "")}


def test_a_card_links_only_to_pages_for_people() -> None:
    links = [entry["link"] for entry in EVIDENCE.values() if entry["link"]]
    assert links
    assert [link for link in links if not re.fullmatch(r"https://[^\s()<>\[\]\"]+", link)] == []
    assert [link for link in links if "//api." in link or "//uat." in link] == []


def test_citations_are_told_apart() -> None:
    citations = [entry["citation"] for entry in EVIDENCE.values()]
    assert len(set(citations)) == len(citations)


@pytest.mark.parametrize(
    ("key", "status"),
    [
        ("E-REN-01", "verified"),
        ("E-REN-03", "verified-secondary"),
        ("E-REN-18", "to-verify"),
        ("E-OLD-06", "to-verify"),
        ("E-OPI-10", "to-verify"),
        ("E-CDS-04", "to-verify"),
        ("E-PSY-05", "policy"),
    ],
)
def test_status_is_that_of_the_reading(key: str, status: str) -> None:
    assert EVIDENCE[key]["status"] == status


def test_numbers_that_rules_stand_on() -> None:
    """The cut-point of 20 mg/day, its risk ratio and the risk differences by eGFR; the labelled maximum."""
    says = EVIDENCE["E-REN-01"]["says"]
    assert all(number in says for number in ("20 mg/day", "3.54", "2.24–5.59", "1.11 %", "0.42 %", "1.23 %", "2.90 %"))
    assert "80 mg/day" in EVIDENCE["E-LAB-01"]["says"]
