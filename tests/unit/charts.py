"""Patient records for tests of ``gather``, read from plain JSON as the service reads them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any

from cds_service.gather.codes import Codes
from cds_service.records import NotAvailable, PatientRecords, Records
from cds_service.resources import Junk, read

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
NOT_SENT = NotAvailable("the EHR did not send it")

LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
ICD10CM = "http://hl7.org/fhir/sid/icd-10-cm"

Key = Sequence[Mapping[str, Any] | str] | Records | NotAvailable
"""What a prefetch key held: resources (JSON text for odd ones), or nothing at all."""


@cache
def codes() -> Codes:
    return Codes.load()


def records(**keys: Key) -> PatientRecords:
    """Keys that are not named were not sent."""
    held = {name: held if isinstance(held, Records | NotAvailable) else _read(held) for name, held in keys.items()}
    others = held.pop("others", Records(incomplete=NOT_SENT.reason))
    assert isinstance(others, Records)
    named = ("patient", "kidney", "medications", "conditions", "procedures", "allergies", "observations")
    return PatientRecords(**{name: held.get(name, NOT_SENT) for name in named}, others=others, dropped=0)


def _read(given: Sequence[Mapping[str, Any] | str]) -> Records:
    found = [read((one if isinstance(one, str) else json.dumps(one)).encode()) for one in given]
    junk = tuple(one for one in found if isinstance(one, Junk))
    incomplete = f"{len(junk)} of its entries could not be read" if junk else ""
    return Records(tuple(one for one in found if one is not None and not isinstance(one, Junk)), junk, incomplete)


def concept(system: str, code: str, text: str | None = None) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code}], **({"text": text} if text else {})}


def observation(
    code: str | Mapping[str, Any], value: Any = None, unit: str | None = None, **more: Any
) -> dict[str, Any]:
    """A final result of 2026-11-13; ``code`` is LOINC, ``value`` becomes ``valueQuantity`` with a UCUM unit."""
    quantity = {"value": value, **({"unit": unit, "code": unit, "system": "http://unitsofmeasure.org"} if unit else {})}
    coded = concept(LOINC, code) if isinstance(code, str) else code
    given = {
        "resourceType": "Observation", "id": "1", "status": "final", "code": coded,
        "effectiveDateTime": "2026-11-13T08:00:00Z", **({} if value is None else {"valueQuantity": quantity}),
    }  # fmt: skip
    return {name: element for name, element in (given | more).items() if element is not None}
