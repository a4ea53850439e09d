"""The order that is answered before the service is ready."""

from __future__ import annotations

import json

from cds_service import first_order, metrics
from cds_service.app import wire
from cds_service.settings import load


def test_it_goes_all_the_way_to_suggestions_of_each_kind_and_is_not_counted() -> None:
    before = _counted()
    cards = json.loads(first_order.answer(wire(load(mode="sandbox"))))["cards"]
    actions = [action for card in cards for one in card.get("suggestions", ()) for action in one["actions"]]
    assert {action["type"] for action in actions} == {"update", "create", "delete"}
    created = {action["resource"]["resourceType"] for action in actions if action["type"] == "create"}
    assert created == {"ServiceRequest", "MedicationRequest"}
    assert _counted() == before


def _counted() -> list[bytes]:
    return [line for line in metrics.exposition().splitlines() if line.startswith(b"baclofen_cds")]
