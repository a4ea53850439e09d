"""Requests that between them get every kind of card: what holds for all cards is checked on these."""

from __future__ import annotations

from tests.conformance.calls import (
    BACLOFEN_10,
    OXYCODONE,
    TODAY,
    Json,
    active,
    allergy,
    chart,
    concept,
    condition,
    dosage,
    egfr,
    order,
    order_select,
    order_sign,
    patient,
    pump_order,
    search,
    survey,
)

LORAZEPAM = concept("197901", "Lorazepam 1 MG Oral Tablet")
NASTY = "<script>alert(1)</script> **bold** [click](javascript:alert(1)) \u202egnp.exe\x07 " + "very long " * 1000

SCENARIOS: dict[str, Json] = {
    "nothing to say": order_sign(order(mg=5)),
    "not baclofen": order_sign(order(drug=OXYCODONE)),
    "start dose too high": order_sign(order(mg=20)),
    "severe kidney disease": order_sign(order(), prefetch=chart(kidney=search(egfr(20)))),
    "kidney value is old": order_sign(order(), prefetch=chart(kidney=search(egfr(40, "2025-03-01")))),
    "no kidney value": order_sign(order(), prefetch=chart(kidney=search())),
    "kidney not sent": order_sign(order(), prefetch=chart(kidney=...)),
    "older adult": order_sign(order(), prefetch=chart(patient=patient("1944-02-01"), kidney=search(egfr(48)))),
    "opioid and sedative": order_sign(
        order(), prefetch=chart(medications=search(active("m1", OXYCODONE), active("m2", LORAZEPAM)))
    ),
    "opioid drafted beside it": order_sign(order(), order("d2", OXYCODONE)),
    "psychosis": order_sign(order(), prefetch=chart(conditions=search(condition("F20.0", "Paranoid schizophrenia")))),
    "dialysis": order_sign(
        order(), prefetch=chart(conditions=search(condition("Z99.2", "Dependence on renal dialysis")))
    ),
    "dose not readable": order_sign(order(dosageInstruction=[{"text": "as directed"}])),
    "order-select without a dose": order_select(
        order(dosageInstruction=None), selections=["MedicationRequest/d1"], prefetch=chart(kidney=search(egfr(20)))
    ),
    "allergy": order_sign(order(mg=5), prefetch=chart(allergies=search(allergy()))),
    "pregnant and drinking": order_sign(
        order(mg=5), prefetch=chart(observations=search(survey("75626-2", 6), survey("82810-3", "LA15173-0")))
    ),
    "second order": order_sign(order(mg=5), prefetch=chart(medications=search(active("m1", BACLOFEN_10)))),
    "stop": order_sign(order(status="stopped"), prefetch=chart(medications=search(active("m1", BACLOFEN_10)))),
    "child": order_sign(order(mg=5), prefetch=chart(patient=patient("2019-05-01"))),
    "pump with a slip of unit": order_sign(pump_order()),
    "epilepsy and lithium": order_sign(
        order(mg=5),
        prefetch=chart(
            conditions=search(condition("G40.909", "Epilepsy, unspecified")),
            medications=search(active("m1", concept("6448", "lithium"))),
        ),
    ),
    "alcohol use disorder": order_sign(
        order(mg=5, reasonCode=[concept("F10.20", "Alcohol dependence", "http://hl7.org/fhir/sid/icd-10-cm")])
    ),
    "five keys only": order_sign(order(mg=5), prefetch=chart(allergies=..., observations=...)),
    "everything at once": order_sign(
        order(mg=20, times=4),
        order("d2", OXYCODONE),
        prefetch=chart(
            patient=patient("1944-02-01"),
            kidney=search(egfr(20)),
            medications=search(
                active("m1", OXYCODONE), active("m2", LORAZEPAM), active("m3", concept("1", NASTY, "urn:x"))
            ),
            conditions=search(condition("F20.0", NASTY)),
        ),
    ),
    "established on a high dose": order_sign(
        order(mg=20, times=4, priorPrescription={"reference": "MedicationRequest/m1"}),
        prefetch=chart(
            kidney=search(egfr(25)),
            medications=search(
                active("m1", BACLOFEN_10, dosageInstruction=dosage(20, 4), authoredOn="2025-11-01"),
            ),
        ),
    ),
    "nasty text everywhere": order_sign(
        order(drug={"text": f"Baclofen 10 mg tablet {NASTY}"}, authoredOn=TODAY),
        prefetch=chart(kidney=search(egfr(20)), medications=search(active("m1", {"text": NASTY}))),
    ),
}
