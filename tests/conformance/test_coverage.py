"""Every row of the checklist has something that shows it, and the page about that is current."""

from __future__ import annotations

from tests.conformance.coverage import ELSEWHERE, PAGE, ROOT, rows, shown


def test_every_row_is_shown() -> None:
    where = shown()
    assert len(rows()) == 129 + 85
    assert [row.id for row in rows() if row.id not in where] == []


def test_no_row_is_explained_away_that_a_test_shows_or_that_is_not_there() -> None:
    assert ELSEWHERE.keys() <= {row.id for row in rows()}


def test_the_page_has_every_row() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert [row.id for row in rows() if f"\n| {row.id} | " not in text] == [], "make content"
    assert "**nothing**" not in text


def test_what_the_page_points_to_is_there() -> None:
    text = PAGE.read_text(encoding="utf-8")
    links = {link.partition(")")[0] for link in text.split("](")[1:]}
    assert [link for link in sorted(links) if not (ROOT / "docs" / link).exists()] == []
