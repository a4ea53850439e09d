"""The CDS Service that we offer, as discovery says it (CDS Hooks 2.0.1, and ``version`` of 3.0).

Prefetch templates are derived from what the rules declare that they read, so that discovery cannot drift from the
code. They use only what a 2.0.1 client can fill in: ``{{context.patientId}}``, one resource by id or one search by
type, tokens by equality, ``_sort`` and ``_count``. No ``_include``, no FHIRPath, no relative dates: the rules apply
their own windows.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from cards import terminology
from cards.facts import Hook, Input

SPECIFICATION = "2.0.1"

HOOKS = (Hook.ORDER_SIGN, Hook.ORDER_SELECT)

PURPOSES: Mapping[str, str] = {
    "patient": "age and sex: eGFR from creatinine, age rules",
    "kidney": "eGFR, creatinine and cystatin C: the kidney function that the dose must fit",
    "medications": "baclofen that is taken now, opioids, sedatives and other medicines that interact, naloxone on file",
    "conditions": "dialysis, transplant, acute kidney injury, psychiatric and neurological history, indication",
    "procedures": "dialysis sessions and kidney transplants",
    "allergies": "reactions to baclofen",
    "observations": "alcohol tests, pregnancy status, weight and height",
}
"""Prefetch key → what the rules need it for; said in docs/integrators.md."""

_OF_PATIENT = "patient={{context.patientId}}"
_SEARCHES: Mapping[str, str] = {
    "patient": "Patient/{{context.patientId}}",
    "kidney": f"Observation?{_OF_PATIENT}&code={{codes}}&_sort=-date&_count=100",
    "medications": f"MedicationRequest?{_OF_PATIENT}&status=active,on-hold,completed,stopped&_count=200",
    "conditions": f"Condition?{_OF_PATIENT}&_count=200",
    "procedures": f"Procedure?{_OF_PATIENT}&_count=200",
    "allergies": f"AllergyIntolerance?{_OF_PATIENT}&_count=100",
    "observations": f"Observation?{_OF_PATIENT}&code={{codes}}&_sort=-date&_count=100",
}
_VALUE_SETS: Mapping[str, tuple[str, ...]] = {
    "kidney": ("egfr-observations", "serum-creatinine-observations", "cystatin-c-observations"),
    "observations": (
        "alcohol-use-observation", "pregnancy", "body-weight-observations", "body-height-observations",
    ),
}  # fmt: skip
"""Value sets whose LOINC codes a search asks for: the codes that the reader recognises, and no others."""
_ONLY: Mapping[str, frozenset[str]] = {
    "alcohol-use-observation": frozenset({"audit-c-score", "peth", "blood-alcohol"}),
}
_NOT: Mapping[str, frozenset[str]] = {"body-weight-observations": frozenset({"first"})}
"""Of these value sets only the codes with one of the flags, and those without."""

FEEDS: Mapping[Input, frozenset[str]] = {
    Input.AGE: frozenset({"patient"}),
    Input.SEX: frozenset({"patient"}),
    Input.KIDNEY_RESULTS: frozenset({"kidney"}),
    Input.MEDICATIONS: frozenset({"medications"}),
    Input.PROBLEMS: frozenset({"conditions"}),
    Input.PROCEDURES: frozenset({"procedures"}),
    Input.ALLERGIES: frozenset({"allergies"}),
    Input.OBSERVATIONS: frozenset({"observations"}),
    Input.ORDER: frozenset(),
}
"""Input of the rules → the prefetch keys that feed it. The order itself is in the context."""


@dataclass(frozen=True, slots=True)
class CdsService:
    id: str
    hooks: tuple[Hook, ...]
    title: str
    description: str
    usage_requirements: str
    prefetch: Mapping[str, str]


def prefetch(reads: frozenset[Input]) -> dict[str, str]:
    """The templates that these inputs need, in a fixed order."""
    keys = frozenset[str]().union(*(FEEDS[one] for one in reads))
    return {key: search.replace("{codes}", _loinc(key)) for key, search in _SEARCHES.items() if key in keys}


def _loinc(key: str) -> str:
    codes: list[str] = []
    for value_set in _VALUE_SETS.get(key, ()):
        with (terminology.FOLDER / f"{value_set}.loinc.csv").open(encoding="utf-8", newline="") as file:
            codes += [row["code"] for row in csv.DictReader(file) if _is_read(value_set, row["flags"])]
    return ",".join(f"http://loinc.org|{code}" for code in codes)


def _is_read(value_set: str, flags: str) -> bool:
    has = set(flags.split("|"))
    return (value_set not in _ONLY or bool(has & _ONLY[value_set])) and not has & _NOT.get(value_set, frozenset())


def baclofen_safety(reads: frozenset[Input]) -> CdsService:
    """The one service; both hooks share its id, so that new cards replace old ones."""
    return CdsService(
        id="baclofen-safety",
        hooks=HOOKS,
        title="Baclofen safety",
        description=(
            "Checks an order for baclofen against the patient's kidney function, age, current baclofen dose, other "
            "medicines and history, and suggests a safer dose where there is one. Answers without cards when no "
            "baclofen order is drafted; an opioid or sedative that is drafted without one is outside this version."
        ),
        usage_requirements=(
            "FHIR R4; orders of STU3, DSTU2 and R5 shape are read too. Works from prefetch: send the keys that this "
            "document lists. At order-sign and order-select the draft orders must be in the context. With a baclofen "
            "order and nothing about the patient it answers 412; what it could not check it says in a card."
        ),
        prefetch=prefetch(reads),
    )


def in_sandbox(service: CdsService) -> CdsService:
    """The same, saying so wherever it describes itself."""
    return replace(
        service,
        title=f"{service.title} (sandbox)",
        description=f"{SANDBOX} {service.description}",
        usage_requirements=f"{SANDBOX} {service.usage_requirements}",
    )


SANDBOX = "Sandbox mode: anybody is answered without a token. Synthetic patients only."


def discovery(services: tuple[CdsService, ...]) -> bytes:
    """The discovery document, encoded; one entry for each hook of a service."""
    return msgspec.json.encode({"services": [_entry(service, hook) for service in services for hook in service.hooks]})


def _entry(service: CdsService, hook: Hook) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "hook": hook.value,
        "title": service.title,
        "description": service.description,
        "id": service.id,
        "usageRequirements": service.usage_requirements,
        "version": SPECIFICATION,
    }
    if service.prefetch:
        entry["prefetch"] = dict(service.prefetch)
    return entry
