"""What is asked of the FHIR server for which prefetch, and what its answers become (P-table, P9, rows 36, 48, 53)."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from typing import Any, NoReturn
from urllib.parse import parse_qs, unquote, urlsplit

import httpx
import pytest

from cards.facts import Hook, Input
from cds_service import completion, hooks, services
from cds_service.completion import complete, with_medications_of_drafts
from cds_service.errors import PreconditionFailed
from cds_service.fhir_access import Access
from cds_service.fhir_client import Base, FhirClient
from cds_service.records import NotAvailable, PatientRecords, Received, Records
from cds_service.resources import Medication
from tests.conformance.calls import (
    BACLOFEN_10,
    OXYCODONE,
    Json,
    active,
    chart,
    egfr,
    order,
    order_sign,
    outcome,
    patient,
    search,
)

EHR = Base("https", "ehr.example", 443, "/fhir")
KEYS = ("patient", "kidney", "medications", "conditions", "procedures", "allergies", "observations")
SEARCHES = completion.searches(services.prefetch(frozenset(Input)))
Handler = Callable[[httpx.Request], Any]


async def never() -> NoReturn:
    await asyncio.Event().wait()
    raise AssertionError


class Server:
    """Answers by the path of a request, as a dict; an int is a status. Everything else is an empty Bundle."""

    def __init__(self, answers: dict[str, Any] | None = None, slow: dict[str, float] | None = None) -> None:
        self.answers = answers or {}
        self.slow = slow or {}
        self.asked: list[str] = []
        self.cancelled = 0

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        asked = str(request.url).removeprefix(f"{EHR}/")
        self.asked.append(asked)
        name = next((name for name in self.answers.keys() | self.slow.keys() if asked.startswith(name)), "")
        try:
            await asyncio.sleep(self.slow.get(name, 0))
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        found = self.answers.get(name, search())
        if isinstance(found, int):
            return httpx.Response(found)
        content = found if isinstance(found, bytes) else json.dumps(found).encode()
        return httpx.Response(200, content=content)

    @property
    def types(self) -> list[str]:
        return [asked.partition("?")[0] for asked in self.asked]


def call_of(request: Json) -> hooks.HookCall:
    return hooks.parse(json.dumps(request).encode(), list(Hook))


async def access(server: Server, seconds: float) -> Access:
    client = FhirClient(lambda: httpx.MockTransport(server))
    return Access(client, EHR, "token", asyncio.get_running_loop().time() + seconds, SEARCHES)


def completed(
    server: Server, request: Json, *, seconds: float = 5, hung_up: completion.HungUp = never
) -> PatientRecords:
    async def run() -> PatientRecords:
        call = call_of(request)
        received = Received.prefetched(call)
        await complete(call, received, await access(server, seconds), hung_up)
        return received.records()

    return asyncio.run(run())


def ids(found: Records | NotAvailable) -> list[str | None]:
    assert isinstance(found, Records), found
    return [getattr(one, "id", None) for one in found.resources]


def reason(found: Records | NotAvailable) -> str:
    return found.reason if isinstance(found, NotAvailable) else found.incomplete


def sent(**keys: Any) -> Json:
    """A whole prefetch, but for these keys; ``...`` leaves one out."""
    prefetch = chart(allergies=search(), observations=search()) | keys
    return order_sign(prefetch={key: value for key, value in prefetch.items() if value is not ...})


# --------------------------------------------------------------------------------------------------- what is asked


def test_P5_a_whole_prefetch_asks_nothing() -> None:
    server = Server()
    completed(server, sent())
    assert server.asked == []


def test_P1_without_prefetch_every_template_is_asked_once_kidney_and_medicines_first() -> None:
    server = Server({"Patient/p1": patient(), "Observation": search(egfr())})
    found = completed(server, order_sign(prefetch={}))
    assert len(server.asked) == len(KEYS)
    assert server.types[:3] == ["Observation", "MedicationRequest", "Patient/p1"]
    assert sorted(server.types) == sorted(
        [
            "Observation",
            "Observation",
            "MedicationRequest",
            "Patient/p1",
            "Condition",
            "Procedure",
            "AllergyIntolerance",
        ]
    )
    assert ids(found.patient) == ["p1"]
    assert ids(found.kidney) == ["egfr-1"]
    assert found.conditions == Records()


def test_F9_the_searches_are_those_of_discovery() -> None:
    server = Server({"Patient/p1": patient()})
    completed(server, order_sign(prefetch={}))
    templates = services.prefetch(frozenset(Input))
    wanted = {template.replace("{{context.patientId}}", "p1") for template in templates.values()}
    assert {unquote(asked) for asked in server.asked} == wanted


def test_the_patients_id_is_encoded() -> None:
    server = Server()
    request = order_sign(prefetch={"patient": None}, patientId="a+b(c)'é")
    completed(server, request)
    assert all(parse_qs(urlsplit(asked).query)["patient"] == ["a+b(c)'é"] for asked in server.asked)


NOT_ASKED = {
    "null": None,
    "an empty Bundle": search(),
    "total 0": {"resourceType": "Bundle", "total": 0},
    "only a warning": search(outcome("warning"), total=0),
    "matches beside a warning": search(egfr(), outcome("warning"), total=1),
    "an OperationOutcome": outcome("error"),
    "an error entry": search(outcome("error")),
    "matches beside an error": search(egfr(), outcome("error"), total=1),
    "one resource for a search": egfr(),
    "a bad entry beside a good one": search(egfr(), egfr(identity="bad") | {"status": 7}),
    "the old wrapper that failed": {"response": {"status": "404"}},
}
ASKED = {
    "not sent": ...,
    "text": "text",
    "HTML": "<html><body>Apache Tomcat</body></html>",
    "a number": 7,
    "an array": [],
    "no resource": {},
    "another type": {"resourceType": "Condition", "id": "c"},
    "a type that we do not know": {"resourceType": "CarePlan"},
    "another patient's": search(egfr(subject={"reference": "Patient/p2"})),
    "fewer than the total": search(egfr(identity="part"), total=9),
}


@pytest.mark.parametrize("value", NOT_ASKED.values(), ids=NOT_ASKED)
def test_27_P_table_what_is_not_asked_again(value: Any) -> None:
    server = Server()
    before = Received.prefetched(call_of(sent(kidney=value))).records()
    assert completed(server, sent(kidney=value)) == before
    assert server.asked == []


@pytest.mark.parametrize("value", ASKED.values(), ids=ASKED)
def test_P_table_what_is_asked(value: Any) -> None:
    server = Server({"Observation": search(egfr(20, identity="fetched"))})
    found = completed(server, sent(kidney=value))
    assert server.types == ["Observation"]
    assert ids(found.kidney) == ["fetched"]
    assert reason(found.kidney) == ""


def test_a_part_that_was_sent_stands_when_the_server_fails() -> None:
    found = completed(Server({"Observation": 403}), sent(kidney=search(egfr(identity="part"), total=9)))
    assert ids(found.kidney) == ["part"]
    assert "part" in reason(found.kidney)


def test_a_key_that_no_rule_reads_is_not_asked() -> None:
    server = Server({"Patient/p1": patient()})

    async def run() -> None:
        call = call_of(order_sign(prefetch={}))
        allowed = await access(server, 5)
        few = completion.searches(services.prefetch(frozenset({Input.AGE})))
        await complete(call, Received.prefetched(call), Access(allowed.client, EHR, "t", allowed.deadline, few), never)

    asyncio.run(run())
    assert server.types == ["Patient/p1"]


def test_aliases_that_feed_one_key_are_asked_only_when_none_of_them_answered() -> None:
    aliases = {"egfr": "kidney", "creatinine": "kidney"}

    def asked(**keys: Any) -> list[str]:
        server = Server()

        async def run() -> None:
            call = call_of(sent(kidney=..., **keys))
            await complete(call, Received.prefetched(call, aliases), await access(server, 5), never)

        asyncio.run(run())
        return server.types

    assert asked(egfr="<html>", creatinine=search(egfr())) == []
    assert asked(egfr="<html>", creatinine="<html>") == ["Observation"]


# ------------------------------------------------------------------------------------------- answers of the server


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (401, "did not allow it"),
        (403, "did not allow it"),
        (404, "does not have it"),
        (410, "does not have it"),
        (429, "too busy"),
        (500, "answered with an error"),
        (b"<html>", "something else in its place"),
        (b"<Bundle xmlns='http://hl7.org/fhir'/>", "something else in its place"),
        (b'{"resourceType":"Bundle","entry":[{"resour', "something else in its place"),
        (b"", "something else in its place"),
        (b"\xff\xfe", "something else in its place"),
        (patient(), "something else in its place"),
        (outcome("error"), "could not read it"),
        (search(outcome("fatal")), "could not read it"),
        (search(egfr(subject={"reference": "Patient/p2"})), "another patient"),
    ],
)
def test_F10_a_failure_is_never_an_empty_list(answer: Any, said: str) -> None:
    found = completed(Server({"Observation": answer}), sent(kidney=...))
    assert isinstance(found.kidney, NotAvailable)
    assert said in found.kidney.reason


def test_P10_results_are_checked_to_be_this_patients() -> None:
    foreign = egfr(20, identity="foreign", subject={"reference": "https://ehr.example/fhir/Patient/p2"})
    found = completed(Server({"Observation": search(egfr(), foreign)}), sent(kidney=...))
    assert ids(found.kidney) == ["egfr-1"]
    assert found.dropped == 1


def test_each_input_is_used_if_it_came_in_time() -> None:
    server = Server({"Patient/p1": patient(), "Observation": search(egfr())}, slow={"MedicationRequest": 60})
    found = completed(server, order_sign(prefetch={}), seconds=0.1)
    assert ids(found.kidney) == ["egfr-1"]
    assert reason(found.medications) == "the EHR did not answer in time"
    assert server.cancelled == 1


# ------------------------------------------------------------------------------------------------------- further pages


def page(*resources: Json, following: str = "", **more: Any) -> Json:
    return search(*resources, link=[{"relation": "next", "url": following}] if following else [], **more)


def test_P9_48_pages_are_followed_to_the_end() -> None:
    server = Server({
        "Observation?page=2": page(egfr(identity="second"), following="https://ehr.example/fhir/Observation?page=3"),
        "Observation?page=3": page(egfr(identity="third")),
    })  # fmt: skip
    first = page(egfr(identity="first"), following="https://ehr.example/fhir/Observation?page=2")
    found = completed(server, sent(kidney=first))
    assert ids(found.kidney) == ["first", "second", "third"]
    assert reason(found.kidney) == ""
    assert server.asked == ["Observation?page=2", "Observation?page=3"]


def test_P9_pages_of_what_was_fetched_are_followed_too() -> None:
    server = Server({
        "MedicationRequest?patient": page(active("m1", OXYCODONE), following="MedicationRequest?page=2", total=2),
        "MedicationRequest?page=2": page(active("m2", OXYCODONE), total=2),
    })  # fmt: skip
    found = completed(server, sent(medications=...))
    assert ids(found.medications) == ["m1", "m2"]
    assert reason(found.medications) == ""


def test_P9_the_total_counts_over_all_pages() -> None:
    first = page(egfr(identity="first"), following="Observation?page=2", total=3)
    found = completed(Server({"Observation?page=2": page(egfr(identity="second"), total=3)}), sent(kidney=first))
    assert ids(found.kidney) == ["first", "second"]
    assert "part" in reason(found.kidney)


@pytest.mark.parametrize(
    "following",
    ["https://evil.example/fhir/Observation?page=2", "http://ehr.example/fhir/Observation?page=2", "/admin"],
)
def test_48_a_link_that_leads_away_is_not_followed(following: str) -> None:
    server = Server()
    found = completed(server, sent(kidney=page(egfr(), following=following)))
    assert server.asked == []
    assert "further pages" in reason(found.kidney)


def test_48_a_loop_ends() -> None:
    server = Server({"Observation?page=2": page(egfr(identity="again"), following="Observation?page=2")})
    found = completed(server, sent(kidney=page(egfr(), following="Observation?page=2")))
    assert server.asked == ["Observation?page=2"]
    assert "further pages" in reason(found.kidney)


def test_48_a_thousand_pages_end() -> None:
    class Endless(Server):
        async def __call__(self, request: httpx.Request) -> httpx.Response:
            self.asked.append(str(request.url))
            following = f"Observation?page={len(self.asked) + 1}"
            return httpx.Response(200, json=page(egfr(identity=f"e{len(self.asked)}"), following=following))

    server = Endless()
    found = completed(server, sent(kidney=page(egfr(), following="Observation?page=1")))
    assert len(server.asked) == completion.MOST_PAGES
    assert len(ids(found.kidney)) == completion.MOST_PAGES + 1
    assert "further pages" in reason(found.kidney)


def test_P10_pages_are_checked_to_be_this_patients() -> None:
    foreign = egfr(20, identity="foreign", subject={"reference": "Patient/p2"})
    server = Server({"Observation?page=2": page(foreign)})
    found = completed(server, sent(kidney=page(egfr(), following="Observation?page=2")))
    assert ids(found.kidney) == ["egfr-1"]
    assert found.dropped == 1


@pytest.mark.parametrize("fault", [403, 500, b"<html>", outcome("error"), search(outcome("error"))])
def test_a_page_that_fails_leaves_the_list_incomplete(fault: Any) -> None:
    found = completed(Server({"Observation?page=2": fault}), sent(kidney=page(egfr(), following="Observation?page=2")))
    assert ids(found.kidney) == ["egfr-1"]
    assert reason(found.kidney)


def test_a_page_that_comes_too_late_leaves_the_list_incomplete() -> None:
    server = Server(slow={"Observation?page=2": 60})
    found = completed(server, sent(kidney=page(egfr(), following="Observation?page=2")), seconds=0.05)
    assert ids(found.kidney) == ["egfr-1"]
    assert "further pages" in reason(found.kidney)


# ---------------------------------------------------------------------------------------------- references to medicines


def referring(identity: str, reference: str, **more: Any) -> Json:
    return (
        active(identity, BACLOFEN_10, medicationCodeableConcept=None, medicationReference={"reference": reference})
        | more
    )


def medication(identity: str, code: Json = BACLOFEN_10) -> Json:
    return {"resourceType": "Medication", "id": identity, "code": code}


def medications(found: PatientRecords) -> list[str | None]:
    return [one.id for one in found.others.resources if isinstance(one, Medication)]


def test_53_unread_references_are_read_in_one_search() -> None:
    server = Server({"Medication?": search(medication("a"), medication("b"), medication("c"))})
    listed = search(
        referring("m1", "Medication/a"),
        referring("m2", "https://ehr.example/fhir/Medication/b"),
        referring("m3", "Medication/c/_history/4"),
        referring("m4", "Medication/a"),
        active("m5", OXYCODONE),
    )
    found = completed(server, sent(medications=listed))
    assert server.asked == ["Medication?_id=a,b,c&_count=3"]
    assert medications(found) == ["a", "b", "c"]


@pytest.mark.parametrize(("references", "searches"), [(100, 1), (101, 2), (400, 4), (500, 4)])
def test_53_many_references_are_read_in_few_searches(references: int, searches: int) -> None:
    server = Server()
    listed = search(*(referring(f"m{number}", f"Medication/a{number}") for number in range(references)))
    completed(server, sent(medications=listed))
    assert len(server.asked) == searches
    asked = [name for one in server.asked for name in re.findall(r"a\d+", one)]
    assert asked == [f"a{number}" for number in range(min(references, 400))]


def test_53_a_server_that_hands_them_out_by_pages() -> None:
    server = Server({
        "Medication?_id": page(medication("a"), following="Medication?page=2"),
        "Medication?page=2": page(medication("b")),
    })  # fmt: skip
    listed = search(referring("m1", "Medication/a"), referring("m2", "Medication/b"))
    assert medications(completed(server, sent(medications=listed))) == ["a", "b"]


def test_53_one_reference_is_a_read() -> None:
    server = Server({"Medication/a": medication("a")})
    assert medications(completed(server, sent(medications=search(referring("m1", "Medication/a"))))) == ["a"]
    assert server.asked == ["Medication/a"]


def test_53_references_of_what_was_fetched() -> None:
    server = Server({
        "MedicationRequest": search(referring("m1", "Medication/a")),
        "Medication/a": medication("a"),
    })  # fmt: skip
    assert medications(completed(server, sent(medications=...))) == ["a"]


@pytest.mark.parametrize(
    "reference",
    [
        "https://other.example/fhir/Medication/a",
        "http://ehr.example/fhir/Medication/a",
        "urn:uuid:4f0e7f6c-0000-4000-8000-000000000001",
        "#a",
        "Medication?code=x",
        "Medication/../Patient/p2",
        "Patient/p2",
        "Medication/a,b",
        "Medication/%2e%2e",
        "",
    ],
)
def test_37_F11_other_references_are_never_fetched(reference: str) -> None:
    server = Server()
    completed(server, sent(medications=search(referring("m1", reference))))
    assert server.asked == []


def test_a_medication_that_came_is_not_read_again() -> None:
    server = Server()
    completed(server, sent(medications=search(referring("m1", "Medication/a"), medication("a"))))
    completed(server, sent(medications=search(referring("m1", "Medication/a")), more=search(medication("a"))))
    assert server.asked == []


def test_medication_resources_alone_tell_nothing_about_the_patient() -> None:
    types = ["Patient", "Observation", "Condition", "Procedure", "MedicationRequest", "AllergyIntolerance"]
    server = Server({"Medication/m9": medication("m9"), **dict.fromkeys(types, 403)})
    reference = {"reference": "Medication/m9", "display": "Baclofen 10 mg"}
    draft = order(medicationCodeableConcept=None, medicationReference=reference)
    with pytest.raises(PreconditionFailed):
        completed(server, order_sign(draft, prefetch={}))
    assert "Medication/m9" in server.asked


def named(server: Server, *drafts: Json, seconds: float = 5) -> hooks.HookCall:
    async def run() -> hooks.HookCall:
        return await with_medications_of_drafts(
            call_of(order_sign(*drafts, prefetch={})), await access(server, seconds), never
        )

    return asyncio.run(run())


def test_36_the_medicine_of_a_draft_comes_among_the_drafts() -> None:
    server = Server({"Medication/m9": medication("m9")})
    draft = order(medicationCodeableConcept=None, medicationReference={"reference": "Medication/m9"})
    call = named(server, draft)
    assert [type(one.resource).__name__ for one in call.drafts] == ["MedicationRequest", "Medication"]
    assert server.asked == ["Medication/m9"]


def test_Q8_drafts_that_name_their_medicine_ask_nothing() -> None:
    server = Server()
    assert len(named(server, order(drug=OXYCODONE)).drafts) == 1
    assert server.asked == []


@pytest.mark.parametrize("fault", [404, 500, b"<html>", patient(), outcome("error")])
def test_36_when_it_cannot_be_read_the_call_stays_as_it_was(fault: Any) -> None:
    draft = order(medicationCodeableConcept=None, medicationReference={"reference": "Medication/m9"})
    assert len(named(Server({"Medication/m9": fault}), draft).drafts) == 1


# -------------------------------------------------------------------------------------------------------- hanging up


def test_20_when_the_client_hangs_up_all_reads_end_at_once() -> None:
    class GoneError(Exception):
        pass

    async def soon() -> NoReturn:
        await asyncio.sleep(0.02)
        raise GoneError

    server = Server(slow=dict.fromkeys(["Observation", "MedicationRequest", "Patient", "Condition", "Procedure",
                                        "AllergyIntolerance"], 60))  # fmt: skip
    with pytest.raises(GoneError):
        completed(server, order_sign(prefetch={}), hung_up=soon)
    assert server.cancelled == len(KEYS)


def test_a_fault_of_ours_is_not_taken_for_one_of_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(completion, "_read", broken)
    with pytest.raises(ZeroDivisionError):
        completed(Server(), order_sign(prefetch={}))
