"""The resources of one call that references may point to: Medication, Substance, Condition."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from msgspec import Raw

from cds_service import resources
from cds_service.gather.fhir_values import Target, target
from cds_service.hooks import HookCall
from cds_service.records import NotAvailable, PatientRecords, Records
from cds_service.resources import Condition, Medication, Reference, Resource, Substance

Shelved = Medication | Substance | Condition


@dataclass(frozen=True)
class Shelf:
    """Medication, Substance and Condition resources of one call that references may point to."""

    call: HookCall
    records: PatientRecords | None = None
    """None before they were collected: then only the drafts are looked at."""

    @cached_property
    def found(self) -> Mapping[str, Shelved]:
        """By "Medication/m1", by fullUrl, by "urn:uuid:..."; filled when the first reference is followed."""
        found: dict[str, Shelved] = {}
        for one in _chart(self.records):
            if isinstance(one, Shelved) and one.id:
                found.setdefault(f"{type_name(one)}/{one.id}", one)
        for draft in self.call.drafts:
            if isinstance(draft.resource, Shelved):
                if draft.resource.id:
                    found[f"{type_name(draft.resource)}/{draft.resource.id}"] = draft.resource
                if draft.full_url:
                    url = target(draft.full_url)
                    found[url.url if url else draft.full_url] = draft.resource
        return found

    def get(self, reference: Reference | None, contained: list[Raw] | None) -> Shelved | None:
        """A reference to another server is never taken for a local one with the same id."""
        pointed = target(reference.reference) if reference else None
        if pointed is None:
            return None
        if pointed.contained:
            return _in(contained, pointed)
        if pointed.base:
            at = self.found.get(pointed.url)
            elsewhere = self.call.fhir_server and pointed.base != self.call.fhir_server.rstrip("/")
            return at if at is not None or elsewhere else self.found.get(pointed.key)
        return self.found.get(pointed.key)


def _chart(records: PatientRecords | None) -> Iterator[Resource]:
    if records is None:
        return
    for part in (records.medications, records.conditions, records.others):
        match part:
            case Records():
                yield from part.resources
            case NotAvailable():
                pass


def _in(contained: list[Raw] | None, pointed: Target) -> Shelved | None:
    for raw in contained or ():
        one = resources.read(raw)
        if isinstance(one, Shelved) and (one.id or "").removeprefix("#") == pointed.id:
            return one
    return None


def type_name(resource: Resource) -> str:
    """For example "MedicationRequest"."""
    return type(resource).__name__
