"""The page of figures in Chromium: empty, a week, a month, a year; light and dark; wide and narrow; by keyboard."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import BrowserContext, Page, Route, expect

from cards.catalogue import Catalogue
from cds_service.insights.names import Names
from cds_service.insights.page import Surroundings, Written
from cds_service.insights.page import page as written
from tests.conformance.calls import SERVICE, TODAY, severe
from tests.conformance.process import Service
from tests.insights.states import states

STATES = ["empty", "week", "month", "year"]
NARROW = {"width": 390, "height": 844}


@cache
def made(state: str) -> Written:
    around = Surroundings(("north", "south"), "Sandbox mode: synthetic patients.", "insights")
    return written(states()[state], Names.of(Catalogue.load()), around)


def shown(page: Page, state: str) -> None:
    """The page of one state, with the headers that the service sends."""
    of = made(state)

    def answer(route: Route) -> None:
        route.fulfill(
            body=of.body, content_type="text/html; charset=utf-8", headers={"content-security-policy": of.policy}
        )

    page.route("**/insights?state", answer)
    page.goto("/insights?state")


def violations(page: Page) -> list[str]:
    found: list[dict[str, Any]] = Axe().run(page).response["violations"]
    return [f"{one['id']}: {one['nodes'][0]['target']}" for one in found]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("state", STATES)
def test_each_state_can_be_read(page: Page, pictures: Path | None, state: str, scheme: Any) -> None:
    page.emulate_media(color_scheme=scheme)
    for name, size in (("wide", {"width": 1280, "height": 900}), ("narrow", NARROW)):
        page.set_viewport_size(size)  # type: ignore[arg-type]  # a dict with these keys
        shown(page, state)
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
        if pictures:
            page.screenshot(path=pictures / f"insights-{state}-{scheme}-{name}.png", full_page=True)
    assert violations(page) == []


def test_plots_have_the_colours_of_the_page(page: Page) -> None:
    """By the style sheet of the page: the policy would not let a style of their own through."""
    colour = "getComputedStyle(document.querySelector('svg text')).fill"
    page.emulate_media(color_scheme="light")
    shown(page, "month")
    light = page.evaluate(colour)
    page.emulate_media(color_scheme="dark")
    assert (light, page.evaluate(colour)) == ("rgb(27, 31, 36)", "rgb(227, 231, 235)")


def test_every_plot_is_drawn_and_its_labels_lie_within_it(page: Page) -> None:
    shown(page, "year")
    outside = page.evaluate(
        """[...document.querySelectorAll('svg')].flatMap(plot => {
            const whole = plot.getBoundingClientRect();
            return [...plot.querySelectorAll('text')]
                .filter(text => { const of = text.getBoundingClientRect();
                                  return of.left < whole.left - 1 || of.right > whole.right + 1; })
                .map(text => text.textContent);
        })"""
    )
    assert outside == []
    assert page.locator("svg").count() > 8


def test_by_keyboard(page: Page) -> None:
    shown(page, "month")
    page.keyboard.press("Tab")
    expect(page.get_by_text("To the figures")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    page.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("group", name="Every rule by week")).to_be_visible()


def test_on_paper_everything_is_there(page: Page) -> None:
    page.emulate_media(media="print")
    shown(page, "year")
    expect(page.locator("form")).to_be_hidden()
    assert page.evaluate("[...document.querySelectorAll('.tall')].every(e => e.scrollHeight <= e.clientHeight + 1)")


def test_what_the_service_did_is_on_the_page(context: BrowserContext, page: Page, service: Service) -> None:
    for _ in range(6):
        cards = httpx.post(f"{service.url}{SERVICE}", json=severe()).raise_for_status().json()["cards"]
        told = {"card": cards[0]["uuid"], "outcome": "overridden", "outcomeTimestamp": f"{TODAY}T12:00:00Z"}
        httpx.post(f"{service.url}{SERVICE}/feedback", json={"feedback": [told]}).raise_for_status()
    page.goto("/insights")
    expect(page.locator(".glance li").first).to_contain_text("6 signings")
    expect(page.get_by_role("row", name="All rules").first).to_be_visible()
    page.get_by_label("From").fill("2026-11-23")
    page.get_by_role("button", name="Show").click()
    expect(page.locator(".selected")).to_contain_text("2026-11-23 to")
    with page.expect_download() as download:
        page.get_by_role("link", name="JSON").click()
    read = json.loads(Path(download.value.path()).read_text())
    assert read["since"] == "2026-11-23"
    assert read["tables"]["signings"][0]["signings"] == 6
    assert violations(page) == []
