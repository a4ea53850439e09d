"""Links between the documents lead somewhere: to a file that there is, and to a heading in it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GENERATED = {"clinical-content.md", "conformance.md"}
"""Have tests of their own; the first is read as a page, /content, where each source has its place."""
PAGES = sorted(
    {
        page
        for pattern in ("*.md", "docs/**/*.md", "fixtures/*.md", "benchmarks/*.md", "cards/**/*.md", "tests/**/*.md")
        for page in ROOT.glob(pattern)
        if page.name not in GENERATED
    }
)
_LINK = re.compile(r"\]\((?!https?://|mailto:)([^)\s]*)\)")
_CODE = re.compile(r"^```.*?^```|`[^`\n]*`", re.MULTILINE | re.DOTALL)


def links(page: Path) -> list[str]:
    return _LINK.findall(_CODE.sub("", page.read_text("utf-8")))


def anchors(page: Path) -> set[str]:
    """As GitHub makes them of headings."""
    text = page.read_text("utf-8")
    headings = re.findall(r"^#+ +(.*)$", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL), re.MULTILINE)
    named = re.findall(r'<a (?:id|name)="?([^"> ]+)', text)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings} | set(named)


def test_there_are_links() -> None:
    assert len([link for page in PAGES for link in links(page)]) > 40


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    broken = []
    for link in links(page):
        path, _, heading = link.partition("#")
        to = (page.parent / path).resolve() if path else page
        if not to.exists() or (heading and to.suffix == ".md" and heading not in anchors(to)):
            broken.append(link)
    assert broken == []


def test_every_decision_is_in_the_index() -> None:
    folder = ROOT / "docs" / "decisions"
    assert {page.name for page in folder.glob("0*.md")} == {
        link for link in links(folder / "README.md") if link[0] == "0"
    }


def test_the_glossary_is_alphabetical() -> None:
    words = re.findall(r"^\| (?!word|---)([^|]+) \|", (ROOT / "docs" / "glossary.md").read_text("utf-8"), re.MULTILINE)
    plain = [re.sub(r"[^a-z0-9 ]", "", word.lower()) for word in words]
    assert plain == sorted(set(plain))
