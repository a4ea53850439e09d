"""Every vignette through HTTP and FHIR, in every style of request: cards in their order, and what suggestions do."""

from __future__ import annotations

import random
import re
from copy import deepcopy
from functools import cache

import pytest

from cards.catalogue import Catalogue
from cards.vignettes import TODAY, Vignette, all_vignettes
from cds_service.app import create_app
from cds_service.settings import load
from tests.conformance.calls import Client, cards
from tests.vignettes.answers import done, expected, topic
from tests.vignettes.fhir import Json, Style
from tests.vignettes.styles import STYLES
from tests.vignettes.test_vignettes import needed_rules

VIGNETTES = pytest.mark.parametrize("vignette", all_vignettes(), ids=str)
IN_EVERY_STYLE = pytest.mark.parametrize("style", STYLES, ids=lambda style: style.name)
LIMIT_SUPPLY = "limit supply to 7 days"


@cache
def client() -> Client:
    return Client(create_app(load(mode="sandbox", today=TODAY)))


@cache
def known_rules() -> frozenset[str]:
    return frozenset(Catalogue.load().texts)


def skip_if_later(vignette: Vignette) -> None:
    if missing := needed_rules(vignette) - known_rules():
        pytest.skip(f"needs the rules {sorted(missing)}, which come with a later release")


def as_expected(vignette: Vignette) -> list[object]:
    limit = _limit([words for card in vignette.expect["cards"] for words in card["suggestions"]])
    return [
        (
            topic(card["rule"]),
            card["indicator"],
            sorted((expected(words, limit) for words in card["suggestions"]), key=str),
        )
        for card in vignette.expect["cards"]
    ]


def as_answered(shown: list[Json], request: Json, vignette: Vignette) -> list[object]:
    limit = _limit([words for card in vignette.expect["cards"] for words in card["suggestions"]])
    return [
        (
            card["source"]["topic"]["code"],
            card["indicator"],
            sorted((done(suggestion, request, limit) for suggestion in card.get("suggestions", ())), key=str),
        )
        for card in shown
    ]


def _limit(suggestions: list[str]) -> int | None:
    return 7 if LIMIT_SUPPLY in suggestions else None


@IN_EVERY_STYLE
@VIGNETTES
def test_cards(vignette: Vignette, style: Style) -> None:
    skip_if_later(vignette)
    request = style.order_sign(vignette.given)
    assert as_answered(cards(client(), request), request, vignette) == as_expected(vignette)


@IN_EVERY_STYLE
@VIGNETTES
def test_order_select_shows_the_same_without_infos(vignette: Vignette, style: Style) -> None:
    """resolutions.md 24."""
    skip_if_later(vignette)
    request = style.order_select(vignette.given)
    urgent = [card for card in as_expected(vignette) if card[1] != "info"]  # type: ignore[index]
    assert as_answered(cards(client(), request), request, vignette) == urgent


@VIGNETTES
def test_every_style_gets_the_same_words(vignette: Vignette) -> None:
    """But for uuids, the names of medicines, what a suggestion says of the product, and why a list is missing."""
    skip_if_later(vignette)
    requests = [style.order_sign(vignette.given) for style in STYLES if not style.from_text]
    first, *others = (_words(cards(client(), request)) for request in requests)
    for other in others:
        assert other == first


_STYLE_OF_ITS_OWN = re.compile(r" [\d.]+ MG(?: Oral Tablet| PO TABS)?|the EHR (?:did not send|could not read) it")


def _words(shown: list[Json]) -> list[Json]:
    return [
        card
        | {
            "uuid": "",
            "detail": _STYLE_OF_ITS_OWN.sub("", card["detail"]).casefold(),
            "suggestions": [(one["label"], one.get("isRecommended")) for one in card.get("suggestions", ())],
        }
        for card in shown
    ]


@IN_EVERY_STYLE
@VIGNETTES
def test_the_order_of_entries_does_not_matter(vignette: Vignette, style: Style) -> None:
    request = style.order_sign(vignette.given)
    before = _without_uuids(cards(client(), request))
    chance = random.Random(vignette.number)  # noqa: S311  # no secret
    for _ in range(3):
        assert _without_uuids(cards(client(), _shuffled(request, chance))) == before


def _shuffled(request: Json, chance: random.Random) -> Json:
    shuffled = deepcopy(request)
    for bundle in (shuffled["context"]["draftOrders"], *shuffled["prefetch"].values()):
        if isinstance(bundle, dict) and "entry" in bundle:
            chance.shuffle(bundle["entry"])
    keys = list(shuffled["prefetch"])
    chance.shuffle(keys)
    return shuffled | {"prefetch": {key: shuffled["prefetch"][key] for key in keys}}


def _without_uuids(value: object) -> object:
    match value:
        case dict():
            return {name: _without_uuids(inner) for name, inner in value.items() if name != "uuid"}
        case list():
            return [_without_uuids(inner) for inner in value]
        case _:
            return value
