"""The page of figures: what stands where, and that it loads nothing."""

from __future__ import annotations

import re
import sys
from base64 import b64encode
from functools import cache
from hashlib import sha256
from html.parser import HTMLParser

import pytest

from cards.catalogue import Catalogue
from cds_service.insights.names import Names
from cds_service.insights.page import Surroundings, Written, page
from cds_service.insights.plots import PlotsMissingError
from tests.insights.states import states

NAMES = Names.of(Catalogue.load())
STATES = ["empty", "week", "month", "year"]


@cache
def written(state: str) -> Written:
    return page(states()[state], NAMES, Surroundings(("north", "south"), "Made up.", "insights"))


def html(state: str) -> str:
    return written(state).body.decode()


@pytest.mark.parametrize("state", STATES)
def test_its_own_style_is_all_that_the_policy_lets_through(state: str) -> None:
    (style,) = re.findall(r"<style>(.*?)</style>", html(state), flags=re.DOTALL)
    digest = b64encode(sha256(style.encode()).digest()).decode()
    policy = written(state).policy
    assert policy.startswith("default-src 'none'; ")
    assert f"style-src 'sha256-{digest}'" in policy
    assert "unsafe" not in policy
    assert not re.search(
        r"<(script|link|img|iframe|object)\b| src=|@import| style=|https?://(?!www\.w3\.org)", html(state)
    )
    assert not re.search(r"url\((?!#)", html(state))


def test_it_has_styles_for_the_dark_for_narrow_screens_and_for_print() -> None:
    for condition in ("prefers-color-scheme: dark", "max-width: 45rem", "@media print", ":focus-visible"):
        assert condition in html("empty")


class Structure(HTMLParser):
    """Opened elements must be closed, ids are said once, headings go down one by one."""

    VOID = frozenset({"meta", "input", "br", "link"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.headings: list[int] = []
        self.classes: set[str] = set()
        self.attributes: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.attributes.append((tag, given))
        self.ids += [value for name, value in attrs if name == "id" and value]
        self.classes |= set((given.get("class") or "").split())
        if re.fullmatch(r"h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag


@pytest.mark.parametrize("state", STATES)
def test_structure(state: str) -> None:
    found = Structure(html(state))
    assert len(found.ids) == len(set(found.ids))
    assert found.headings[0] == 1
    assert all(below - above <= 1 for above, below in zip(found.headings, found.headings[1:], strict=False))
    anchors = [given["href"] for tag, given in found.attributes if tag == "a" and (given["href"] or "").startswith("#")]
    assert {anchor[1:] for anchor in anchors if anchor} <= set(found.ids)


@pytest.mark.parametrize("state", STATES)
def test_every_class_of_a_plot_has_its_colour(state: str) -> None:
    """A colour that the style sheet does not know would be black on black in the dark."""
    found = Structure(html(state))
    for name in {one for one in found.classes if one.startswith(("fill-", "stroke-"))}:
        assert f".{name} {{" in html(state)
    colours = [
        value
        for tag, given in found.attributes
        for name, value in given.items()
        if name in ("fill", "stroke") and tag != "svg"
    ]
    ids = set(found.ids)  # of patterns: a hatch
    assert [one for one in colours if one != "none" and (one or "")[5:-1] not in ids] == []


@pytest.mark.parametrize("state", ["week", "month", "year"])
def test_every_plot_says_itself_and_has_its_table(state: str) -> None:
    found = Structure(html(state))
    plots = [given for tag, given in found.attributes if tag == "svg"]
    assert plots
    for plot in plots:
        assert plot["role"] == "img"
        assert len(plot["aria-label"] or "") > 20
    for section in re.findall(r"<section.*?</section>", html(state), flags=re.DOTALL):
        assert "<svg" not in section or "<table" in section


@pytest.mark.parametrize("state", STATES)
def test_tables_have_captions_scopes_and_can_be_scrolled_by_keyboard(state: str) -> None:
    tables = re.findall(r"<table.*?</table>", html(state), flags=re.DOTALL)
    for table in tables:
        assert "<caption" in table
        assert '<th scope="col"' in table
        assert '<th scope="row"' in table
    assert html(state).count('role="group"') == html(state).count('tabindex="0"') == len(tables)


def test_empty_says_so_and_what_to_do() -> None:
    assert "No call on a baclofen order is on record for this period." in html("empty")
    assert "<svg" not in html("empty")


def test_a_year_has_all_plots() -> None:
    svgs = re.findall(r'aria-label="([^"]*)"', html("year"))
    for said in ("Share of signings with a card", "cards shown, week by week", "accepted, overridden and ignored",
                 "How often each reason", "lacked an input", "Whole calls"):  # fmt: skip
        assert any(said in svg for svg in svgs), said
    assert "Other sedating medicines together with baclofen" in html("year").partition('id="over_the_line"')[2]


def test_the_choice_stands_in_the_form_and_in_the_links() -> None:
    assert '<input type="date" name="since" value="2026-10-25">' in html("month")
    assert 'href="insights?since=2026-10-25&amp;until=2026-11-24&amp;hook=order-sign&amp;format=csv"' in html("month")


def test_a_report_in_a_file_offers_neither() -> None:
    text = page(states()["week"], NAMES, Surroundings()).body.decode()
    assert "<form" not in text
    assert "format=csv" not in text


def test_words_of_a_client_stay_words() -> None:
    text = page(states()["empty"], NAMES, Surroundings(("<b>north</b>",), "<i>", "insights")).body.decode()
    assert "<b>north" not in text
    assert "<i>" not in text


def test_without_matplotlib_the_tables_stand_and_the_cure_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    text = page(states()["month"], NAMES, Surroundings()).body.decode()
    assert "<svg" not in text
    assert "<table" in text
    assert "pip install &#34;baclofen-cds[insights]&#34;" in text
    assert "insights" in PlotsMissingError.cure


def test_the_same_figures_make_the_same_page() -> None:
    assert page(states()["week"], NAMES, Surroundings()) == page(states()["week"], NAMES, Surroundings())
