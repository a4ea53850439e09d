"""The page at /content: the document, worth printing, loading nothing; and the link to it on each card."""

from __future__ import annotations

import re
from base64 import b64encode
from functools import cache
from hashlib import sha256

import pytest

from cards.catalogue import Catalogue
from cards.triage import SUMMARY_CARD
from cds_service.app import create_app
from cds_service.clinical_content.page import _MARKDOWN, content_page
from cds_service.settings import load
from tests.conformance.calls import SERVICE, Client, post, severe


@cache
def catalogue() -> Catalogue:
    return Catalogue.load()


@cache
def html() -> str:
    return content_page(catalogue()).body.decode()


@pytest.fixture(scope="module")
def client() -> Client:
    return Client(create_app(load(mode="sandbox")))


def test_it_is_served_as_html_with_a_policy_that_allows_its_own_style_only(client: Client) -> None:
    response = client.get("/content")
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/html")
    (style,) = re.findall(r"<style>(.*?)</style>", response.text, flags=re.DOTALL)
    digest = b64encode(sha256(style.encode()).digest()).decode()
    policy = response.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; ")
    assert f"style-src 'sha256-{digest}';" in policy
    assert "unsafe" not in policy


def test_it_loads_nothing_from_anywhere() -> None:
    assert not re.search(r"<(script|link|img|iframe|object|form)\b| src=|@import|url\(| style=", html())


def test_it_has_a_style_for_print_for_the_dark_and_for_narrow_screens() -> None:
    for condition in ("@media print", "prefers-color-scheme: dark", "max-width: 45rem"):
        assert condition in html()


def test_every_link_within_it_leads_somewhere_and_every_anchor_is_one() -> None:
    anchors = re.findall(r' id="([^"]+)"', html())
    assert len(anchors) == len(set(anchors))
    assert set(re.findall(r'href="#([^"]+)"', html())) <= set(anchors)


@pytest.mark.parametrize("rule", [*catalogue().texts, SUMMARY_CARD])
def test_every_rule_has_its_anchor_and_a_line_in_the_contents(rule: str) -> None:
    assert f'<h3 id="{rule}">' in html()
    assert f'<a href="#{rule}">' in html()


def test_it_says_which_version_it_is_and_that_nobody_reviewed_it() -> None:
    assert catalogue().content_version in html()
    assert '<strong class="alarm">NOT CLINICALLY REVIEWED</strong>' in html()
    assert '<strong class="alarm">NOT READ</strong>' in html()


def test_a_card_carries_the_colour_of_its_urgency() -> None:
    for urgency in ("critical", "warning", "info"):
        assert f'<blockquote class="{urgency}">\n<p><strong>{urgency.upper()}: ' in html()


def test_on_a_narrow_screen_each_value_has_the_name_of_its_column() -> None:
    assert '<td data-column="number"><code>harm_at_least</code></td>' in html()
    assert '<td data-column="value"><strong>≥ 20 mg/day</strong></td>' in html()


def test_markup_in_a_text_stays_text() -> None:
    assert "<script>" not in _MARKDOWN.render("<script>alert(1)</script>")


def test_it_is_written_once(client: Client) -> None:
    assert content_page(catalogue()) is content_page(catalogue())
    assert client.get("/content").text == client.get("/content").text


def test_a_card_links_to_its_rule_where_the_site_has_named_its_address() -> None:
    app = create_app(load(mode="sandbox", public_base_url="https://cds.example.org/baclofen/"))
    client = Client(app)
    cards = post(client, severe()).json()["cards"]
    assert cards
    for card in cards:
        base, _, rule = card["source"]["url"].partition("#")
        assert base == "https://cds.example.org/baclofen/content"
        assert f'<h3 id="{rule}">' in html()
    assert client.get("/content").status_code == 200
    assert client.get("/baclofen/content").status_code == 200


def test_without_an_address_a_card_has_no_such_link(client: Client) -> None:
    cards = post(client, severe()).json()["cards"]
    assert cards
    assert all("url" not in card["source"] for card in cards), SERVICE
