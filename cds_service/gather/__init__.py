"""FHIR → PatientFacts: everything that is FHIR ends here."""

from __future__ import annotations

from datetime import datetime

from cards.facts import Jurisdiction, PatientFacts
from cds_service.gather.allergies import allergies
from cds_service.gather.codes import Codes
from cds_service.gather.conditions import problems, procedures
from cds_service.gather.kidney import kidney_results
from cds_service.gather.medications import medication_list
from cds_service.gather.observations import observations
from cds_service.gather.orders import Orders
from cds_service.gather.person import age, deceased, sex
from cds_service.gather.relevant import relevant
from cds_service.hooks import HookCall
from cds_service.records import PatientRecords


def facts(
    call: HookCall, orders: Orders, records: PatientRecords, codes: Codes, now: datetime, *, jurisdiction: Jurisdiction
) -> PatientFacts:
    """What the record says, each input by itself: an unreadable one is Missing and costs only rules that need it."""
    records = relevant(records, codes)
    return PatientFacts(
        now=now,
        hook=call.hook,
        orders=orders.orders,
        drafted=orders.drafted,
        drafted_unrecognised=orders.drafted_unrecognised,
        orders_for_other_patients=orders.for_other_patients,
        age=age(records, now),
        sex=sex(records),
        deceased=deceased(records),
        setting=orders.setting,
        kidney=kidney_results(records, codes, now),
        problems=problems(records, codes, now),
        procedures=procedures(records, codes, now),
        medications=medication_list(call, records, codes, now),
        allergies=allergies(records, codes, now),
        observations=observations(records, codes, now),
        jurisdiction=jurisdiction,
        orders_unread=orders.unread,
    )
