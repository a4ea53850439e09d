"""Order-sign requests, built small: one patient, one baclofen draft, a chart that gives it weight."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.conformance.calls import (
    BACLOFEN_10,
    OXYCODONE,
    Json,
    active,
    allergy,
    chart,
    concept,
    condition,
    dosage,
    egfr,
    order,
    order_sign,
    patient,
    quantity,
    search,
)

PRODUCTS = (
    concept("430902", "Baclofen 5 MG Oral Tablet"),
    BACLOFEN_10,
    concept("197392", "Baclofen 20 MG Oral Tablet"),
)
LORAZEPAM = concept("197901", "Lorazepam 1 MG Oral Tablet")
IBUPROFEN = concept("197805", "Ibuprofen 400 MG Oral Tablet")

_DOSES = st.tuples(st.sampled_from((2.5, 5, 7.5, 10, 15, 20, 25, 30, 45, 60)), st.integers(1, 4))


def _in_tablets(dose: tuple[float, int]) -> list[Json]:
    amount, times = dose
    (instruction,) = dosage(amount, times)
    return [instruction | {"doseAndRate": [{"doseQuantity": {"value": amount / 5, "unit": "tablet"}}]}]


def _steps(first: tuple[float, int], second: tuple[float, int], lasts: int) -> list[Json]:
    """The first dose for some days, then the second."""
    (one,), (other,) = dosage(*first), dosage(*second)
    bounds = {"boundsDuration": {"value": lasts, "unit": "d", "system": "http://unitsofmeasure.org", "code": "d"}}
    one["timing"]["repeat"] |= bounds
    return [{"sequence": 1, **one}, {"sequence": 2, **other}]


DOSAGES = st.one_of(
    *[_DOSES.map(lambda dose: dosage(*dose))] * 4,
    _DOSES.map(_in_tablets),
    st.builds(_steps, _DOSES, _DOSES, st.sampled_from((3, 7, 14))),
    st.just([{"text": "as directed"}]),
)
"""In tablets the product is the one of 5 mg."""


def _draft(
    *, dosages: list[Json], product: Json, prior: bool, reason: str | None, status: str, dispensed: bool
) -> Json:
    in_tablets = "tablet" in str(dosages)
    changes: Json = {"dosageInstruction": dosages, "status": status}
    if prior:
        changes["priorPrescription"] = {"reference": "MedicationRequest/b0"}
    if reason:
        changes["reasonCode"] = [{"text": reason}]
    if dispensed:
        changes["dispenseRequest"] = {"quantity": {"value": 90, "unit": "tablet"}, "numberOfRepeatsAllowed": 2}
    return order(drug=PRODUCTS[0] if in_tablets else product, **changes)


_DRAFTS = st.builds(
    _draft,
    dosages=DOSAGES,
    product=st.sampled_from(PRODUCTS),
    prior=st.booleans(),
    reason=st.sampled_from((None, "multiple sclerosis", "alcohol use disorder")),
    status=st.sampled_from((*("draft",) * 9, "stopped")),
    dispensed=st.booleans(),
)

_WRITTEN = st.sampled_from(("2026-11-22", "2026-11-18", "2026-11-01", "2026-08-01", "2025-06-01"))
_CURRENT = st.builds(
    lambda dose, product, written: active(
        "b0", product, dosageInstruction=dosage(*dose), authoredOn=written
    ),
    _DOSES, st.sampled_from(PRODUCTS), _WRITTEN,
)  # fmt: skip
_OTHERS = [
    active("m1", OXYCODONE, dosageInstruction=dosage(20, 3)),
    active("m2", LORAZEPAM),
    active("m3", IBUPROFEN),
    active("m4", concept("1", "herbal tonic <b>X</b>", "urn:x")),
]
_MEDICATIONS = st.tuples(
    st.one_of(st.just([]), st.lists(_CURRENT, min_size=1, max_size=1)),
    st.lists(st.sampled_from(_OTHERS), max_size=2, unique_by=id),
).map(lambda parts: [*parts[0], *parts[1]])

_CONDITIONS = [
    condition("F20.0", "Paranoid schizophrenia"),
    condition("Z99.2", "Dependence on renal dialysis"),
    condition("J44.9", "COPD"),
    condition("F10.20", "Alcohol dependence"),
    condition("T14.91XA", "Suicide attempt", recordedDate="2026-09-01"),
    condition("G35", "Multiple sclerosis"),
    condition("N17.9", "Acute kidney failure", recordedDate="2026-11-22"),
    condition("G40.909", "Epilepsy"),
    condition("M62.84", "Sarcopenia"),
    condition("Z91.81", "History of falling"),
    condition("G20", "Parkinson's disease"),
]


def _creatinine(value: float, taken: str) -> Json:
    code = concept("2160-0", "Creatinine", "http://loinc.org")
    identity = f"creatinine-{taken}"
    return egfr(identity=identity, taken=taken, code=code, valueQuantity=quantity(value, "mg/dL"))


_DAYS = st.sampled_from(("2026-11-23", "2026-11-10", "2026-07-01", "2025-03-01", "2019-03-01"))
_EGFR = st.builds(egfr, st.sampled_from((8, 14, 15, 22, 29, 30, 38, 44, 45, 52, 59, 60, 75, 95)), _DAYS)
_CREATININE = st.builds(_creatinine, st.sampled_from((0.7, 1.4, 2.8, 5)), _DAYS)
_KIDNEY = st.one_of(
    _EGFR.map(lambda one: [one]),
    _EGFR.map(lambda one: [one]),
    st.lists(st.one_of(_EGFR, _CREATININE), max_size=3, unique_by=lambda one: one["id"]),
)


def _request(
    *, draft: Json, birth: str, kidney: list[Json], medications: list[Json], conditions: list[Json], allergic: bool
) -> Json:
    prefetch = chart(
        patient=patient(birth),
        kidney=search(*kidney),
        medications=search(*medications),
        conditions=search(*conditions),
        allergies=search(*([allergy()] if allergic else [])),
        observations=search(),
    )
    return order_sign(draft, prefetch=prefetch)


REQUESTS = st.builds(
    _request,
    draft=_DRAFTS,
    birth=st.sampled_from(("1986-01-01", "1962-01-01", "1961-11-24", "1944-02-01")),
    kidney=_KIDNEY,
    medications=_MEDICATIONS,
    conditions=st.lists(st.sampled_from(_CONDITIONS), max_size=2, unique_by=id),
    allergic=st.sampled_from((*(False,) * 9, True)),
)
