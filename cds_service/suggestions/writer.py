"""One proposal as the label and the actions of a suggestion."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cards.case import Case
from cards.facts import BaclofenOrder, Route
from cards.outcome import (
    ChangeDose,
    CoPrescribeNaloxone,
    LimitSupply,
    OrderTest,
    Proposal,
    Regimen,
    StopExisting,
    Taper,
    TaperStep,
    WithdrawOrder,
)
from cards.quantities import Days
from cards.values import frozen
from cds_service.dialects import Dialect
from cds_service.suggestions import created, labels, supply
from cds_service.suggestions.dosage import (
    Json,
    Kept,
    OrderedProduct,
    Version,
    can_give,
    for_regimen,
    for_taper,
    placed,
)
from cds_service.suggestions.session import CannotActError, InvalidError, Session
from cds_service.suggestions.supply import Supply
from cds_service.suggestions.validation import fault

AFTER_DIALYSIS = "after dialysis"
"""A note that is part of the instruction to the patient, not only of the label."""
MOST_DOSES_A_DAY = 4
_STOPPED = frozenset({"stopped", "cancelled", "completed", "ended"})


def checked(resource_type: str, written: Json) -> None:
    if found := fault(resource_type, written):
        raise InvalidError(f"not valid R4: {found}")


@frozen
class _Leading:
    """The draft that a dose suggestion changes."""

    order: BaclofenOrder
    draft: Json
    product: OrderedProduct | None


@frozen
class Writer:
    case: Case
    session: Session
    limit: Days | None
    """A limit of supply that every new dose carries too (resolutions.md 12a)."""

    def offers(self, proposal: Proposal) -> list[tuple[str, list[Json]]]:
        """Label and actions of each suggestion, in the client's dialect. Raises CannotActError and InvalidError."""
        if self.session.dialect is Dialect.INFO_ONLY:
            raise CannotActError("this client is given words only")
        label, actions = self.write(proposal)
        if self.session.dialect is Dialect.GENERIC:
            return [(label, actions)]
        if any(action["type"] == "update" for action in actions):
            raise CannotActError("the client's EHR takes no change of an order")
        if len(actions) == 1:
            return [(label, actions)]
        numbered = [f"Remove baclofen order {number} of {len(actions)}" for number in range(1, len(actions) + 1)]
        return [(said, [action | {"description": f"{said}."}]) for said, action in zip(numbered, actions, strict=True)]

    def write(self, proposal: Proposal) -> tuple[str, list[Json]]:
        """Label and actions, for a client that takes all of CDS Hooks. Raises CannotActError and InvalidError."""
        match proposal:
            case ChangeDose():
                return self._change_dose(proposal)
            case Taper():
                return self._taper(proposal)
            case WithdrawOrder():
                return self._withdraw()
            case StopExisting(reference=reference):
                return self._stop_existing(reference)
            case LimitSupply(supply=limit):
                return self._limit_supply(limit)
            case OrderTest(test=test, urgent=urgent):
                label = f"Order {test.value}{' (urgent)' if urgent else ''}"
                return label, [self._create(created.laboratory_test(proposal), f"{label}, to guide the baclofen dose.")]
            case CoPrescribeNaloxone():
                said = "Add naloxone 4 mg nasal spray, 2 devices, for suspected opioid overdose."
                return "Add naloxone 4 mg nasal spray", [self._create(created.naloxone(), said)]

    # ------------------------------------------------------------------------------------------------------- doses

    def _change_dose(self, change: ChangeDose) -> tuple[str, list[Json]]:
        leading, regimen = self._leading(), change.regimen
        _in_range(regimen)
        giveable = can_give(regimen, leading.product)
        kept = Kept.of(leading.draft, scheduled=leading.order.stops)
        tail = ", as needed" if kept.as_needed else ""
        tail += f", {AFTER_DIALYSIS}" if AFTER_DIALYSIS in change.note else ""
        instructions = for_regimen(regimen, leading.product, kept.by, tail=tail)
        limit = self._limit_for(leading.draft)
        if limit:
            new = supply.limited(leading.draft, leading.product, regimen.daily if giveable else None, limit)
        else:
            new = supply.at_dose(leading.draft, leading.product, leading.order.dose, regimen)
        product = "needs 5 mg tablets or a liquid" if giveable is False else ""
        label = labels.joined(f"Change to {regimen}", change.note, product, labels.supply(limit))
        said = f"Change the order to {'; '.join(one['text'] for one in instructions)} ({regimen.daily}).{new.said}"
        if product:
            said += " The ordered product cannot give this dose: choose 5 mg tablets or a liquid."
        return self._replaced(leading, (label, said), placed(instructions, kept), instructions, new)

    def _taper(self, taper: Taper) -> tuple[str, list[Json]]:
        leading, steps = self._leading(), _steps(taper)
        for step in steps:
            _in_range(step.regimen)
        kept = Kept.of(leading.draft, scheduled=True)
        if kept.version is Version.DSTU2:
            raise CannotActError("a DSTU2 order cannot hold steps in sequence")
        instructions = for_taper(taper, leading.product, kept.by)
        limit = self._limit_for(leading.draft)
        new = supply.for_taper(leading.draft)
        if limit:
            first = steps[0]
            countable = first.lasts >= limit and can_give(first.regimen, leading.product)
            new = supply.limited(leading.draft, leading.product, first.regimen.daily if countable else None, limit)
        label = labels.joined(labels.taper(taper, steps), labels.supply(limit))
        said = f"{label}. Daily doses: {', '.join(str(step.regimen.daily) for step in steps)}.{new.said}"
        return self._replaced(leading, (label, said), placed(instructions, kept), instructions, new)

    def _replaced(
        self, leading: _Leading, words: tuple[str, str], dosage: list[Json], written: list[Json], new: Supply
    ) -> tuple[str, list[Json]]:
        """The leading draft with another dosage; drafts that would be taken beside it are removed."""
        checked("MedicationRequest", {"dosageInstruction": written} | _dispensed(new))
        changed: dict[str, Any] = {
            "dosageInstruction": dosage,
            "dispenseRequest": new.request,
            "renderedDosageInstruction": None,
        }
        if leading.order.stops:
            changed |= _running_again(leading.draft)
        label, said = words
        beside = [other for other in self.case.orders[1:] if not other.stops]
        if beside:
            label += f" – one order, without the other{'s' if len(beside) > 1 else ''}"
        return label, [_update(leading.draft, changed, said), *(self._delete(other) for other in beside)]

    def _withdraw(self) -> tuple[str, list[Json]]:
        """The running drafts; where every draft stops baclofen, the stop orders themselves."""
        running = [order for order in self.case.orders if not order.stops] or list(self.case.orders)
        if not running:
            raise CannotActError("there is no draft to remove")
        what = "this baclofen order" if len(running) == 1 else "these baclofen orders"
        return f"Remove {what}", [self._delete(order) for order in running]

    def _stop_existing(self, reference: str) -> tuple[str, list[Json]]:
        leading = self._leading()
        existing = self.session.chart_order(reference) if reference.startswith("MedicationRequest/") else None
        if existing is None or Version.of(leading.draft) is Version.DSTU2:
            raise CannotActError("the order on the chart is not at hand as an R4 MedicationRequest")
        if "priorPrescription" in leading.draft:
            raise CannotActError("the draft already names another order that it replaces")
        ended = {"status": "stopped", "statusReason": {"text": "replaced"}}
        linked: dict[str, Any] = {"priorPrescription": {"reference": reference}}
        checked("MedicationRequest", ended)
        said = "Mark the new order as the replacement of the existing one."
        if limit := self._limit_for(leading.draft):
            new = self._limited(leading.order, leading.draft, limit)
            linked["dispenseRequest"], said = new.request, said + new.said
        stop = _update(existing, ended, "Stop the existing baclofen order: the new order replaces it.")
        label = labels.joined("Replace the existing baclofen order by this one", labels.supply(limit))
        return label, [stop, _update(leading.draft, linked, said)]

    # ------------------------------------------------------------------------------------------------------ supply

    def _limit_supply(self, limit: Days) -> tuple[str, list[Json]]:
        actions = []
        for order in self.case.orders:
            draft = None if order.stops else self._changeable(order)
            if draft is None or ((stated := supply.ordered_days(draft)) is not None and stated <= limit):
                continue
            new = self._limited(order, draft, limit)
            actions.append(_update(draft, {"dispenseRequest": new.request}, f"Limit the supply.{new.said}"))
        if not actions:
            raise CannotActError("the supply is within the limit already")
        return f"Limit to a {limit:n}-day supply", actions

    def _limited(self, order: BaclofenOrder, draft: Json, limit: Days) -> Supply:
        daily = supply.daily_for(order.dose, limit)
        new = supply.limited(draft, self.session.products.get(order.reference), daily, limit)
        checked("MedicationRequest", _dispensed(new))
        return new

    def _limit_for(self, draft: Json) -> Days | None:
        """The limit, or less where less is ordered."""
        stated = supply.ordered_days(draft)
        return min(self.limit, stated) if self.limit and stated else self.limit

    # ------------------------------------------------------------------------------------------------------ actions

    def _leading(self) -> _Leading:
        if not self.case.orders or self.case.route is not Route.ORAL:
            raise CannotActError("there is no oral draft to change")
        order = self.case.order
        return _Leading(order, self._changeable(order), self.session.products.get(order.reference))

    def _draft(self, order: BaclofenOrder) -> Json:
        draft = self.session.drafts.get(order.reference)
        if draft is None:
            raise CannotActError("the draft has no id of its own")
        return draft

    def _changeable(self, order: BaclofenOrder) -> Json:
        draft = self._draft(order)
        if not isinstance(draft.get("dispenseRequest") or {}, dict):
            raise CannotActError("dispenseRequest of the draft is not an object")
        return draft

    def _delete(self, order: BaclofenOrder) -> Json:
        self._draft(order)
        return {"type": "delete", "description": "Remove the baclofen order.", "resourceId": order.reference}

    def _create(self, resource: Json, said: str) -> Json:
        if any(Version.of(draft) is Version.DSTU2 for draft in self.session.drafts.values()):
            raise CannotActError("the client speaks DSTU2, which does not know this R4 resource")
        if self.session.dialect is Dialect.EPIC:
            resource = created.with_rxnorm_as_oid(resource)
        checked(resource["resourceType"], resource)
        for_patient = created.for_patient(resource, self.session.patient_id, self.session.encounter_id)
        return {"type": "create", "description": said, "resource": for_patient}


def _update(draft: Json, changed: Mapping[str, Any], said: str) -> Json:
    """The draft as sent, in its order of members; a member that is None under ``changed`` is left out."""
    members = {**draft, **changed}
    resource = {name: value for name, value in members.items() if value is not None or name not in changed}
    return {"type": "update", "description": said, "resource": resource}


def _running_again(draft: Json) -> dict[str, Any]:
    """A stop order becomes an order that runs (resolutions.md 8)."""
    changed: dict[str, Any] = {}
    if draft.get("status") in _STOPPED:
        changed |= {"status": "active", "statusReason": None, "reasonEnded": None, "dateEnded": None}
    if draft.get("doNotPerform") is True:
        changed["doNotPerform"] = None
    return changed


def _dispensed(new: Supply) -> Json:
    return {"dispenseRequest": new.written} if new.written else {}


def _in_range(regimen: Regimen) -> None:
    if not 1 <= len(regimen.doses) <= MOST_DOSES_A_DAY or not all(dose.value > 0 for dose in regimen.doses):
        raise CannotActError("the regimen has no dose, or more than four a day")


def _steps(taper: Taper) -> tuple[TaperStep, ...]:
    """A last step of 0 mg is the end of the taper, not an instruction (resolutions.md 7)."""
    steps = tuple(step for step in taper.steps if step.regimen.daily.value)
    if not steps:
        raise CannotActError("the taper has no dose")
    return steps
