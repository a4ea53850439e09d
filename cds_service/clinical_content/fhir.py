"""The clinical content as FHIR R4 resources, for systems that know those: definitions to read, not to execute.

The rules are Python functions; a condition here is the same sentence that the clinical document shows.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from cards.catalogue import Catalogue
from cards.terminology import System
from cards.value_set_files import value_set_files
from cds_service.clinical_content import fhir_plans, fhir_terminology
from cds_service.clinical_content.fhir_common import Json, canonical


def write(folder: Path, catalogue: Catalogue, *, snomed: bool, dmd: bool) -> int:
    """One file for each resource, the same bytes for the same content. Returns how many. Raises OSError.

    ``snomed``, ``dmd``: whether the site may use these code systems; without, their codes are left out.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = 0
    for resource in resources(catalogue, snomed=snomed, dmd=dmd):
        text = json.dumps(resource, ensure_ascii=False, indent=1) + "\n"
        path = folder / f"{resource['resourceType']}-{resource['id']}.json"
        path.write_text(text, encoding="utf-8")
        written += 1
    return written


def resources(catalogue: Catalogue, *, snomed: bool = True, dmd: bool = True) -> Iterator[Json]:
    without = [system for system, may in ((System.SNOMED, snomed), (System.DMD, dmd)) if not may]
    parts = [
        *fhir_terminology.code_systems(catalogue),
        *fhir_terminology.value_sets(value_set_files(without), catalogue.content_version),
        *fhir_plans.activities(catalogue),
        *fhir_plans.plans(catalogue),
    ]
    yield from parts
    yield fhir_plans.library(catalogue, [canonical(part) for part in parts])
