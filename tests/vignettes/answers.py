"""What the suggestions of a card do, read from their actions; and what a vignette expects, in the same terms.

Labels and descriptions are not looked at: an EHR carries out the actions.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from decimal import Decimal
from functools import cache

import msgspec

from cards.facts import DrugClass, OralDose
from cards.vignettes import TIMES
from cds_service import resources
from cds_service.gather.codes import Codes
from cds_service.gather.dosage import oral_dose
from cds_service.gather.products import Strength
from tests.vignettes.fhir import LOINC, Json

TESTS = {"2160-0": "creatinine+eGFR", "33863-2": "cystatin C"}
_MAY_CHANGE = {"dosageInstruction", "dispenseRequest"}
_MAY_CHANGE_OF_A_STOP = _MAY_CHANGE | {"status", "doNotPerform", "statusReason"}


@dataclass(frozen=True, slots=True)
class NewDose:
    """An update of the draft: its first step."""

    doses: tuple[Decimal, ...]
    """mg, morning to night; equal ones each for itself."""
    daily: Decimal
    tapers: bool
    """Further steps follow, or baclofen ends after this one."""
    after_dialysis: bool
    supply_days: Decimal | None = None
    """Only where the response limits the supply."""


def topic(rule: str) -> str:
    first, *others = rule.split("-")
    return first + "".join(word.capitalize() for word in others)


# ---------------------------------------------------------------------------------------------- what is expected

_UPDATE = re.compile(
    r"(?:alternative if unavoidable: )?(?:update draft to|replace stop by) ?(?P<taper>taper, first step )?"
    r"(?P<doses>[\d./]+) mg ?(?P<often>[A-Za-z ]*?) ?\((?P<daily>[\d.]+) mg/day\)(?P<note>.*)"
)


def expected(words: str, limit: int | None) -> object:
    """``limit``: days of supply that some card asks for; a new dose carries it too (resolutions.md 12a)."""
    if found := _UPDATE.fullmatch(words):
        doses = tuple(map(Decimal, found["doses"].split("/")))
        doses = doses * TIMES[found["often"]] if found["often"] else doses
        supply = Decimal(limit) if limit else None
        return NewDose(doses, Decimal(found["daily"]), bool(found["taper"]), "after dialysis" in found["note"], supply)
    return "delete draft" if words == "delete the stop order" else words


# ------------------------------------------------------------------------------------------------- what is done


def done(suggestion: Json, request: Json, limit: int | None) -> object:
    drafts = {f"{one['resourceType']}/{one['id']}": one for one in _drafts(request)}
    actions = suggestion["actions"]
    if len(actions) == 2:
        return _replaced(actions, drafts, request)
    (action,) = actions
    match action["type"]:
        case "delete":
            assert action["resourceId"] in drafts
            return "delete draft"
        case "create":
            return _created(action["resource"], request)
        case "update":
            new = action["resource"]
            return _updated(drafts[f"{new['resourceType']}/{new['id']}"], new, limit)
    raise AssertionError(action["type"])


def _drafts(request: Json) -> list[Json]:
    return [entry["resource"] for entry in request["context"]["draftOrders"]["entry"]]


def _updated(draft: Json, new: Json, limit: int | None) -> object:
    stopped = draft["status"] in ("stopped", "cancelled") or draft.get("doNotPerform") or _is_nothing(draft)
    may_change = _MAY_CHANGE_OF_A_STOP if stopped else _MAY_CHANGE
    assert {name: one for name, one in new.items() if name not in may_change} == {
        name: one for name, one in draft.items() if name not in may_change
    }
    if stopped:
        assert new["status"] in ("active", "draft")
        assert "doNotPerform" not in new
    supply = new.get("dispenseRequest", {}).get("expectedSupplyDuration")
    supply_days = None if supply is None else Decimal(str(supply["value"]))
    if limit:
        assert supply["code"] == "d"
        assert supply_days == limit
    if new["dosageInstruction"] == draft["dosageInstruction"]:
        return f"limit supply to {supply_days} days"
    lines = [msgspec.json.decode(json.dumps(one), type=resources.Dosage) for one in new["dosageInstruction"]]
    whole = _read(lines)
    sequences = [one.get("sequence", 0) for one in new["dosageInstruction"]]
    first = [line for line, sequence in zip(lines, sequences, strict=True) if sequence == min(sequences)]
    doses: list[Decimal] = []
    for line in first:
        (step,) = _read([line]).steps
        doses += [step.largest_single.value] * step.times_per_day
    return NewDose(
        doses=tuple(doses),
        daily=whole.start.value,
        tapers=len(whole.steps) > 1 or whole.steps[-1].lasts is not None,
        after_dialysis=all("after dialysis" in (line.text or "") for line in lines),
        supply_days=supply_days if limit else None,
    )


def _read(lines: list[resources.Dosage]) -> OralDose:
    """In mg: no strength is needed."""
    dose = oral_dose(lines, Strength(), route_stated=True)
    assert isinstance(dose, OralDose), dose
    return dose


def _is_nothing(draft: Json) -> bool:
    return bool(draft["dosageInstruction"][0].get("doseQuantity", {}).get("value") == 0)


@cache
def _codes() -> Codes:
    return Codes.load()


def _created(new: Json, request: Json) -> str:
    assert (new["status"], new["intent"]) == ("draft", "order")
    assert new["subject"]["reference"] == f"Patient/{request['context']['patientId']}"
    if new["resourceType"] == "ServiceRequest":
        (coding,) = new["code"]["coding"]
        assert coding["system"] == LOINC
        return f"create ServiceRequest {TESTS[coding['code']]}"
    concept = msgspec.json.decode(json.dumps(new["medicationCodeableConcept"]), type=resources.CodeableConcept)
    found = _codes().drug(concept)
    assert DrugClass.OPIOID_RESCUE in found.value_sets
    assert not found.by_text
    return f"create MedicationRequest {concept.text.removesuffix(' spray') if concept.text else ''}"


def _replaced(actions: list[Json], drafts: dict[str, Json], request: Json) -> str:
    """The chart's order is stopped, and the draft says that it takes its place."""
    stop, link = (action["resource"] for action in actions)
    assert [action["type"] for action in actions] == ["update", "update"]
    assert (stop["id"], stop["status"]) == ("current", "stopped")
    assert link["priorPrescription"]["reference"] == "MedicationRequest/current"
    draft = drafts[f"MedicationRequest/{link['id']}"]
    assert {name: one for name, one in link.items() if name != "priorPrescription"} == draft
    return "mark draft as replacement and stop the existing order"
