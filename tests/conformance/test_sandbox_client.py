"""Our cards in the CDS Hooks Sandbox, the reference client: it renders ``detail`` as Markdown with HTML enabled,
ignores members that it does not know, and says "All clear" where it finds no card. Its captured requests are replayed.
"""

from __future__ import annotations

import copy
import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import httpx
import pytest
from markdown_it import MarkdownIt

from tests.conformance.calls import Client, assert_refused, cards, outcome, post, search, text_of
from tests.conformance.scenarios import SCENARIOS

FOLDER = Path(__file__).parents[2] / "fixtures" / "requests" / "cds-hooks-sandbox"
CAPTURED = {path.stem: json.loads(path.read_bytes())["body"] for path in sorted(FOLDER.glob("req-order-*.json"))}
BACLOFEN = [name for name in CAPTURED if not name.endswith(("no-draftOrders", "no-medication", "no-prefetch"))]
EVERY = pytest.mark.parametrize("name", BACLOFEN)

RENDERER = MarkdownIt("commonmark", {"html": True}).enable("table")
"""Raw HTML goes through, as in the Sandbox, and so does any link."""
RENDERER.validateLink = lambda url: True  # type: ignore[method-assign]
EVIL = "<img src=x onerror=alert(1)><script>alert(2)</script></p><a href=x>a</a> [b](javascript:alert(4)) <!-- "


class Tags(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words += data

    def handle_comment(self, data: str) -> None:  # noqa: ARG002  # as the parser calls it
        self.found.append(("comment", {}))


MADE_BY_MARKDOWN = {"p", "strong", "em", "ul", "ol", "li", "a"}


def assert_harmless(detail: str) -> Tags:
    tags = Tags(RENDERER.render(detail))
    for tag, attributes in tags.found:
        assert tag in MADE_BY_MARKDOWN
        assert set(attributes) <= ({"href"} if tag == "a" else set())
        assert str(attributes.get("href", "https://")).startswith("https://")
    return tags


def poisoned(value: Any) -> Any:
    """Every text that a person wrote is followed by markup."""
    match value:
        case dict():
            return {
                name: f"{one} {EVIL}" if name in ("text", "display") and isinstance(one, str) else poisoned(one)
                for name, one in value.items()
            }
        case list():
            return [poisoned(one) for one in value]
        case _:
            return value


REQUESTS = {name: CAPTURED[name] for name in BACLOFEN} | SCENARIOS


# ------------------------------------------------------------------------------------------------------- what it shows


@EVERY
def test_detail_is_harmless_where_html_is_rendered(client: Client, name: str) -> None:
    shown = cards(client, CAPTURED[name])
    assert shown
    for card in shown:
        assert assert_harmless(card["detail"]).words.strip()


@pytest.mark.parametrize("name", REQUESTS)
def test_markup_in_the_chart_stays_text(client: Client, name: str) -> None:
    for card in cards(client, poisoned(REQUESTS[name])):
        assert_harmless(card.get("detail", ""))
        assert "<" not in card["summary"].replace(" < ", "")


def test_the_markup_did_reach_the_cards(client: Client) -> None:
    """What is checked above is checked on something."""
    found = [post(client, poisoned(request)).json()["cards"] for request in REQUESTS.values()]
    details = [card.get("detail", "") for shown in found for card in shown]
    assert any("onerror" in detail for detail in details)


def test_what_is_not_harmless_is_seen() -> None:
    for bad in ("<img src=x onerror=a>", "[a](data:text/html,x)", "a <!-- b --> c", "<details>x</details>"):
        with pytest.raises(AssertionError):
            assert_harmless(bad)


SPECIFIED = {
    "uuid", "summary", "detail", "indicator", "source", "suggestions", "selectionBehavior", "overrideReasons", "links",
}  # fmt: skip


@EVERY
def test_nothing_stands_in_members_that_it_ignores(client: Client, name: str) -> None:
    """All members are those of CDS Hooks 2.0.1, and the dose to order instead stands in the words as well."""
    for card in cards(client, CAPTURED[name]):
        assert set(card) <= SPECIFIED
        doses = [one["label"].partition("Change to ")[2] for one in card.get("suggestions", ())]
        for dose in filter(None, doses):
            assert dose.split(" ")[0] in text_of([card])


@EVERY
def test_members_that_it_adds_change_nothing(client: Client, name: str) -> None:
    more = copy.deepcopy(CAPTURED[name]) | {"extension": {"com.example": [1]}, "unknownMember": {"a": None}}
    more["context"]["futureField"] = "x"
    now, before = cards(client, more), cards(client, CAPTURED[name])
    assert [card["summary"] for card in now] == [card["summary"] for card in before]


# ---------------------------------------------------------------------- an empty list would be shown as "All clear"


def says_something(response: httpx.Response) -> None:
    """A card, or a refusal: never an empty list for a baclofen order that could not be checked."""
    if response.status_code == 200:
        assert response.json()["cards"]
    else:
        assert_refused(response, response.status_code)


NOT_READ: list[Any] = [None, "<html>502</html>", outcome("error"), search(outcome("fatal")), 5, {}, []]


@EVERY
@pytest.mark.parametrize("value", NOT_READ, ids=lambda value: json.dumps(value)[:20])
def test_a_prefetch_that_failed_is_never_all_clear(client: Client, name: str, value: Any) -> None:
    request = CAPTURED[name]
    says_something(post(client, request | {"prefetch": dict.fromkeys(request["prefetch"], value)}))


@EVERY
def test_without_prefetch_and_with_a_fhir_server_that_is_down_it_is_refused(client: Client, name: str) -> None:
    """Port 9 of this machine: nobody listens."""
    request = {member: value for member, value in CAPTURED[name].items() if member != "prefetch"}
    assert_refused(post(client, request | {"fhirServer": "http://127.0.0.1:9/fhir"}), 412)


@EVERY
def test_a_draft_that_is_broken_is_never_all_clear(client: Client, name: str) -> None:
    for element in ("dosageInstruction", "medicationCodeableConcept"):
        request = copy.deepcopy(CAPTURED[name])
        for entry in request["context"]["draftOrders"]["entry"]:
            entry["resource"][element] = [{"text": "Baclofen 10 MG", "timing": 5}]
        says_something(post(client, request))


@pytest.mark.parametrize("name", [name for name in CAPTURED if name.endswith("no-draftOrders")])
def test_a_call_without_orders_is_refused(client: Client, name: str) -> None:
    assert_refused(post(client, CAPTURED[name]), 400)


def test_its_page_can_read_a_refusal(client: Client) -> None:
    """Without CORS on errors it could not tell a refusal from silence."""
    request = CAPTURED["req-order-sign-no-prefetch"]
    response = post(client, request, origin="http://127.0.0.1:8080")
    assert_refused(response, 412)
    assert response.headers["access-control-allow-origin"] == "http://127.0.0.1:8080"
