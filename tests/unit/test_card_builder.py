"""Cards on the wire: exactly the members of CDS Hooks 2.0.1 (checklist R1-R18, G4, G5, A1-A13)."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from cards.catalogue import Catalogue
from cards.content import CardText, OverrideReason, Source
from cards.logic import Logic
from cards.outcome import ChangeDose, Finding, Indicator, LimitSupply, OrderTest, Proposal, Regimen, Test, WithdrawOrder
from cards.quantities import Days, SingleDose
from cards.triage import SUMMARY_CARD, ShownCard
from cards.wording import Words
from cds_service.card_builder import Built, Frame, build, encode, frames, topic_code
from tests.unit.drafts import TABLETS_5, case_of, order, rich, session

RULE = "renal-dose-exceeds-limit"
TEXT = CardText(
    RULE, "Baclofen dose and kidney function", frozenset(Indicator), "renal", "R", ("E-1",),
    {"start": "Baclofen {ordered} with eGFR {egfr:n}"}, {"why": "Because of {kind}."}, Logic((), (), (), ()),
)  # fmt: skip
SOURCES = [
    Source(f"E-{n}", f"Author {n}, Journal 2019", "says", "B", "verified", link)
    for n, link in enumerate(["https://a.example/1", "", "http://b.example/2", "https://c.example/3", "https://a.example/1",
                              "https://d.example/4", "https://e.example/5"])
]  # fmt: skip
REASONS = (
    OverrideReason("will-monitor", "I will monitor the patient"),
    OverrideReason("lab-pending", "A result is pending"),
)
FRAME = Frame.of(RULE, TEXT.title, REASONS, SOURCES)
BARE = Frame.of(SUMMARY_CARD, "Other baclofen points", (), ())
WORDS = Words({RULE: TEXT}, {}, {"E-1": SOURCES[0]}, "abc123")

HALF_TID = ChangeDose(Regimen((SingleDose.of("2.5"),) * 3))
ALL: list[Proposal] = [HALF_TID, WithdrawOrder(), OrderTest(Test.CREATININE), LimitSupply(Days.of(7))]


def shown(
    *proposals: Proposal, indicator: Indicator = Indicator.WARNING, draft: dict[str, Any] | None = None
) -> ShownCard:
    finding = Finding(RULE, indicator, "start", ("why",))
    return ShownCard(case_of(order(draft or rich())), finding, indicator, proposals=proposals)


def built(*cards: ShownCard, frame: Frame = FRAME) -> Built:
    return build(cards, WORDS, {RULE: frame}, session(rich(), product=TABLETS_5))


@pytest.mark.parametrize(
    ("proposals", "behavior"),
    [
        ([HALF_TID, WithdrawOrder()], "at-most-one"),
        ([HALF_TID, LimitSupply(Days.of(7))], "at-most-one"),
        ([HALF_TID, OrderTest(Test.CREATININE)], "any"),
        ([OrderTest(Test.CREATININE)], "any"),
    ],
)
def test_only_suggestions_that_change_an_order_exclude_each_other(proposals: list[Proposal], behavior: str) -> None:
    (card,) = built(shown(*proposals)).cards
    assert card["selectionBehavior"] == behavior


def test_card_has_exactly_these_members() -> None:
    (card,) = built(shown(*ALL)).cards
    always = ["uuid", "summary", "detail", "indicator", "source"]
    assert list(card) == [*always, "suggestions", "selectionBehavior", "overrideReasons", "links"]
    assert uuid.UUID(card["uuid"]).version == 4
    assert card["indicator"] == "warning"
    assert card["selectionBehavior"] == "at-most-one"
    assert card["summary"] == "Baclofen 15 mg/day with eGFR 100"
    assert card["detail"].startswith("Because of initiation.")
    assert card["source"] == {
        "label": "Baclofen safety service",
        "topic": {
            "system": "https://baclofen-cds.example/fhir/CodeSystem/rule",
            "code": "renalDoseExceedsLimit",
            "display": "Baclofen dose and kidney function",
        },
    }
    assert card["overrideReasons"][1] == {
        "code": "lab-pending",
        "system": "https://baclofen-cds.example/fhir/CodeSystem/override-reason",
        "display": "A result is pending",
    }


@pytest.mark.parametrize("indicator", Indicator)
def test_indicator_is_that_of_the_shown_card(indicator: Indicator) -> None:
    (card,) = built(shown(indicator=indicator)).cards
    assert card["indicator"] == {1: "info", 2: "warning", 3: "critical"}[indicator]


def test_links_are_https_absolute_once_each_and_at_most_three() -> None:
    (card,) = built(shown()).cards
    assert [link["url"] for link in card["links"]] == [
        "https://a.example/1",
        "https://c.example/3",
        "https://d.example/4",
    ]
    assert {link["type"] for link in card["links"]} == {"absolute"}
    assert all(link.keys() == {"label", "url", "type"} for link in card["links"])


def test_what_has_no_value_is_left_out() -> None:
    (card,) = built(shown(), frame=BARE).cards
    assert card.keys() == {"uuid", "summary", "detail", "indicator", "source"}


def test_a_card_whose_suggestions_cannot_be_offered_has_no_selection_behaviour() -> None:
    found = built(shown(HALF_TID, draft=rich(id=None)))
    assert "suggestions" not in found.cards[0]
    assert "selectionBehavior" not in found.cards[0]
    ((rule, left_out),) = found.not_offered
    assert (rule, left_out.proposal, left_out.invalid) == (RULE, HALF_TID, False)


def members(value: Any) -> Iterator[tuple[str, Any]]:
    """Every member outside a resource, which is the client's own."""
    if isinstance(value, dict):
        for name, member in value.items():
            yield name, member
            if name != "resource":
                yield from members(member)
    elif isinstance(value, list):
        for item in value:
            yield from members(item)


def test_response_has_no_null_and_no_empty_member() -> None:
    answer = json.loads(encode(built(shown(*ALL), shown()).cards))
    assert answer.keys() == {"cards"}
    assert [name for name, member in members(answer) if member in (None, "", [], {})] == []
    never = {"systemActions", "actionSelectionBehavior", "autolaunchable", "appContext", "icon"}
    assert never.isdisjoint(name for name, _ in members(answer))
    assert json.loads(encode([])) == {"cards": []}


def test_suggestions_and_actions_have_the_shape_of_the_specification() -> None:
    answer = json.loads(encode(built(shown(*ALL)).cards))
    suggestions = answer["cards"][0]["suggestions"]
    assert len(suggestions) == len(ALL)
    for suggestion in suggestions:
        assert suggestion.keys() - {"isRecommended"} == {"label", "uuid", "actions"}
        for action in suggestion["actions"]:
            wanted = {"resourceId"} if action["type"] == "delete" else {"resource"}
            assert action.keys() == {"type", "description"} | wanted
            assert action["type"] in ("create", "update", "delete")
    assert sum("isRecommended" in suggestion for suggestion in suggestions) <= 1


def test_uuids_are_new_in_each_response() -> None:
    once, again = built(shown(*ALL)).cards[0], built(shown(*ALL)).cards[0]
    ids = [card["uuid"] for card in (once, again)] + [s["uuid"] for card in (once, again) for s in card["suggestions"]]
    assert len(set(ids)) == len(ids)
    assert all(uuid.UUID(one).version == 4 for one in ids)


def test_decimals_of_the_draft_are_on_the_wire_as_sent() -> None:
    assert b'"valueDecimal":1.20}' in encode(built(shown(HALF_TID)).cards)


def test_a_limit_on_one_card_is_carried_by_the_dose_of_another() -> None:
    """resolutions.md 12a."""
    dose, _ = built(shown(HALF_TID), shown(LimitSupply(Days.of(7)))).cards
    assert dose["suggestions"][0]["label"] == "Change to 2.5 mg TID (7.5 mg/day) – 7-day supply"


def test_summary_never_reaches_140_code_points() -> None:
    long = replace(TEXT, summary={"start": "\U0001f48a" * 200})
    (card,) = build([shown()], replace(WORDS, texts={RULE: long}), {RULE: FRAME}, session(rich())).cards
    assert len(card["summary"]) == 139


def test_no_link_or_topic_holds_anything_of_the_patient() -> None:
    (card,) = built(shown(*ALL)).cards
    fixed = json.dumps([card["source"], card["links"], card["overrideReasons"]])
    assert not re.search(r"p1|d1|Patient/|MedicationRequest/", fixed)


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        ("renal-dose-exceeds-limit", "renalDoseExceedsLimit"),
        ("pregnancy", "pregnancy"),
        ("cns-depressant-load", "cnsDepressantLoad"),
        ("additional-considerations", "additionalConsiderations"),
    ],
)
def test_topic_code_is_the_rule_id_in_lower_camel_case(rule: str, code: str) -> None:
    assert topic_code(rule) == code


def test_every_rule_of_the_catalogue_has_a_frame() -> None:
    catalogue = Catalogue.load()
    made = frames(catalogue)
    assert made.keys() == {*catalogue.texts, SUMMARY_CARD}
    codes = [frame.source["topic"]["code"] for frame in made.values()]
    assert len(set(codes)) == len(codes)
    assert all(re.fullmatch("[A-Za-z0-9]{1,100}", code) for code in codes)
    everywhere = {"benefit-outweighs-risk", "will-monitor", "specialist-recommended", "data-incorrect", "palliative",
                  "not-clinically-relevant"}  # fmt: skip
    for rule, frame in made.items():
        offered = [reason["code"] for reason in frame.override_reasons]
        assert everywhere <= set(offered), rule
        assert len(set(offered)) == len(offered), rule
        assert all(link["url"].startswith("https://") for link in frame.links), rule
    assert frames(catalogue) is made
