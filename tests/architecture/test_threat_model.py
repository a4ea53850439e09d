"""docs/threat-model.md claims nothing that no test shows: each that it names exists, and each threat names one."""

from __future__ import annotations

import ast
import re
from functools import cache

import pytest

from tests.architecture.source import ROOT

PAGE = ROOT / "docs" / "threat-model.md"
SECTIONS = PAGE.read_text("utf-8").split("\n## ")[1:]
BOUNDARIES = [section for section in SECTIONS if re.match(r"\d\. ", section)]


@cache
def all_tests() -> frozenset[str]:
    trees = (ast.parse(file.read_text("utf-8")) for file in (ROOT / "tests").rglob("test_*.py"))
    return frozenset(node.name for tree in trees for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def test_every_test_that_is_named_exists() -> None:
    named = re.findall(r"`(test_\w+)`", PAGE.read_text("utf-8"))
    assert len(named) > 100
    assert sorted(set(named) - all_tests()) == []


@pytest.mark.parametrize("section", BOUNDARIES, ids=lambda section: section.splitlines()[0])
def test_every_threat_has_a_control_and_a_test(section: str) -> None:
    rows = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("| ")][1:]
    assert rows
    for threat, control, shown in rows:
        assert threat
        assert control
        assert "`test_" in shown, threat


def test_all_of_stride_was_thought_of_where_calls_come_in() -> None:
    assert set(re.findall(r"^\| \*\*([STRIDE])\*\* ", BOUNDARIES[0], re.MULTILINE)) == set("STRIDE")


def test_the_six_risks_of_the_specification_are_answered() -> None:
    (section,) = [one for one in SECTIONS if one.startswith("The six risks")]
    assert re.findall(r"^\| (\d)\. ", section, re.MULTILINE) == list("123456")
