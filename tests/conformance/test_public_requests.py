"""Requests that real clients sent and other projects published: each gets what the checklist says, and never a 5xx."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.calls import Client, Json, assert_refused, cards, post, text_of, topics

FOLDER = Path(__file__).parents[2] / "fixtures" / "requests"
OURS = ("patients", "examples")
SOURCES = sorted(folder for folder in FOLDER.iterdir() if folder.is_dir() and folder.name not in OURS)
FILES = {f"{folder.name}/{path.name}": path for folder in SOURCES for path in sorted(folder.glob("*.json"))}

NO_CARDS, BAD, NOTHING_KNOWN = 200, 400, 412
EXPECTED: dict[str, int | set[str]] = {
    # hooks that we do not serve
    "ahrq-cql-services/active_person_invocation.json": BAD,
    "ahrq-cql-services/hooks-patients-DSTU2-null_prefetch_values_invocation.json": BAD,
    "ahrq-cql-services/missing_prefetch_keys_invocation.json": BAD,
    "ahrq-cql-services/null_prefetch_values_invocation.json": BAD,
    "cds-hooks-sandbox/req-patient-view.json": BAD,
    "cqf-ruler/html-request.json": BAD,
    "cqf-ruler/unicode-request.json": BAD,
    "davinci-crd-ri/medicationRequestNoPrefetch.json": BAD,
    "davinci-crd-ri/medicationRequestPrefetch.json": BAD,
    "fimea-risk-medications/request-patient-view.json": BAD,
    "inferno-crd-kit/fancy_structure_hook_request.json": BAD,
    "inferno-crd-kit/order_dispatch_hook_request.json": BAD,
    "pddi-cds/request-digoxin-cyclosporine-scenario-03.json": BAD,
    "pddi-cds/request-warfarin-nsaid-scenario-05.json": BAD,
    # order hooks without draftOrders
    "cds-hooks-docs/examples-1.json": BAD,
    "cds-hooks-sandbox/req-order-sign-active-tab-clicked-no-draftOrders.json": BAD,
    # context objects, not requests
    **{f"hl7-hook-library/{name}.json": BAD for name in (
        "medication-prescribe-1", "medication-prescribe-2", "order-review-1", "order-review-2", "order-select-1",
        "order-select-2", "order-select-3", "order-sign-1", "order-sign-2", "order-sign-3",
    )},
    # other orders than baclofen
    "cds-hooks-docs/examples-2.json": NO_CARDS,
    "cds-hooks-sandbox/req-order-sign-no-medication.json": NO_CARDS,
    "clinical-reasoning/ASLPCrdServiceRequest.json": NO_CARDS,
    "cqf-ruler/opioidcds-01-request.json": NO_CARDS,
    "cqf-ruler/opioidcds-04-request-prefetch.json": NO_CARDS,
    "cqf-ruler/opioidcds-08-request-prefetch.json": NO_CARDS,
    "davinci-crd-ri/deviceRequestEmptyPrefetch_r4.json": NO_CARDS,
    "davinci-crd-ri/requestWithHydratedPrefetchBundle.json": NO_CARDS,
    "fimea-risk-medications/request-order-select.json": NO_CARDS,
    "inferno-crd-kit/order_select_hook_request.json": NO_CARDS,
    "inferno-crd-kit/order_sign_hook_request.json": NO_CARDS,
    "opioid-cds-r4/noPrefetch.json": NO_CARDS,
    "opioid-cds-r4/request-example-rec-08-order-sign-mme-doseRange.json": NO_CARDS,
    "opioid-cds-r4/request-example-rec-08-order-sign-multiple-doseRate.json": NO_CARDS,
    "opioid-cds-r4/request-example-rec-11-benzo-trigger-with-opioid.json": NO_CARDS,
    "pddi-cds/digoxin-cyclosporine-order-sign-coordination.json": NO_CARDS,
    "pddi-cds/digoxin-cyclosporine-order-sign-no-coordination.json": NO_CARDS,
    "pddi-cds/multi-update-draft-orders-1.json": NO_CARDS,
    "pddi-cds/multi-update-draft-orders-2.json": NO_CARDS,
    "pddi-cds/multi-update-draft-orders-3.json": NO_CARDS,
    "pddi-cds/multi-update-draft-orders-4.json": NO_CARDS,
    "pddi-cds/warfarin-nsaids-order-select-no-coordination.json": NO_CARDS,
    "pddi-cds/warfarin-nsaids-order-sign-coordination.json": NO_CARDS,
    # baclofen, and nothing about the patient
    "cds-hooks-sandbox/req-order-sign-no-prefetch.json": NOTHING_KNOWN,
}  # fmt: skip
BACLOFEN = {name for name in FILES if name not in EXPECTED}


def request_in(path: Path) -> bytes:
    """The hook request; captured files hold it under ``body``."""
    whole = json.loads(path.read_bytes())
    if "method" in whole:
        return json.dumps(whole["body"]).encode()
    return path.read_bytes()


def test_every_file_has_an_expected_answer() -> None:
    assert set(EXPECTED) <= set(FILES)
    assert {name.partition("/")[0] for name in BACLOFEN} == {"cds-hooks-sandbox", "crd-request-generator"}


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_a_request_that_is_not_about_baclofen_or_not_complete(client: Client, name: str) -> None:
    response = post(client, request_in(FILES[name]))
    if EXPECTED[name] == NO_CARDS:
        assert response.content == b'{"cards":[]}'
    else:
        assert_refused(response, int(str(EXPECTED[name])))


@pytest.mark.parametrize("name", sorted(BACLOFEN))
def test_a_baclofen_request_gets_cards(client: Client, name: str) -> None:
    shown = cards(client, json.loads(request_in(FILES[name])))
    assert shown
    assert "orderDoseUnparseable" not in topics(shown), "the doses of all of these can be computed"


@pytest.mark.parametrize(
    "path", [path for path in FILES.values() if path.parent.name == "hl7-hook-library"], ids=lambda p: p.name
)
def test_contexts_of_the_hook_library_inside_a_request(client: Client, path: Path) -> None:
    """R4, STU3 and DSTU2 orders of the hook definitions: no baclofen in them."""
    content = json.loads(path.read_bytes())
    context = content.get("context", content)
    if "draftOrders" not in context:
        context["draftOrders"] = {"resourceType": "Bundle"}
    hook = "order-select" if "selections" in context else "order-sign"
    request = {"hook": hook, "hookInstance": "x", "context": context}
    assert post(client, request).content == b'{"cards":[]}'


def test_the_sandbox_order_of_10_mg_2_tablets_tid(client: Client) -> None:
    """60 mg/day for a start, kidney values of 2021 with further pages: too high a start, old values are not trusted."""
    shown = cards(client, _body("cds-hooks-sandbox/req-order-sign-baclofen-10mg-2-tid.json"))
    assert "60 mg" in text_of(shown)
    assert {"startDoseTooHigh", "doseAbove80", "renalFunctionUnknown"} & set(topics(shown))
    assert "2021" in text_of(shown)


@pytest.mark.parametrize("shape", ["stu3", "dstu2"])
def test_the_same_order_in_older_shapes_says_the_same_dose(client: Client, shape: str) -> None:
    shown = cards(client, _body(f"cds-hooks-sandbox/req-order-sign-{shape}-shape.json"))
    assert "orderDoseUnparseable" not in topics(shown)


def test_order_select_keeps_info_for_order_sign(client: Client) -> None:
    for name in BACLOFEN:
        if "order-select" in name:
            assert all(card["indicator"] != "info" for card in cards(client, _body(name)))


def _body(name: str) -> Json:
    body: Any = json.loads(request_in(FILES[name]))
    assert isinstance(body, dict)
    return body


def test_requests_are_unchanged_copies(tmp_path: Path) -> None:
    """They can be parsed as they lie: nobody re-wrote them by hand."""
    for path in FILES.values():
        shutil.copy(path, tmp_path / "copy.json")
        json.loads((tmp_path / "copy.json").read_bytes())
