"""The workbench's addresses: in sandbox mode only, read only, and everything on the page from this server alone."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import zipfile
from datetime import date
from pathlib import Path

import httpx
import pytest

from cds_service import clients
from cds_service.app import create_app
from cds_service.settings import load
from cds_service.workbench.patients import FixturePatient, patients
from tests.conformance.calls import TODAY, Client, Json, assert_refused, order_sign, post

ROOT = Path(__file__).parents[2]
EVERYBODY = patients(date.fromisoformat(TODAY))
EVERY = pytest.mark.parametrize("patient", EVERYBODY, ids=lambda one: one.id)
FHIR = "/workbench/fhir"
ADDRESSES = (
    "/workbench", "/workbench/assets/main.js", "/workbench/patients/ckd-3b", f"{FHIR}/metadata", f"{FHIR}/Patient",
    f"{FHIR}/Patient/ckd-3b", "/workbench/as/epic-us/cds-services",
)  # fmt: skip


def discovery_of(patient: FixturePatient) -> str:
    where = patient.jurisdiction.value.lower() if patient.jurisdiction else "us"
    role = f"{patient.dialect.value}-{where}"
    return "/cds-services" if role == "generic-us" else f"/workbench/as/{role}/cds-services"


def filled(client: Client, patient: FixturePatient) -> Json:
    """The prefetch templates of discovery, filled from the FHIR API as a CDS Client does it."""
    templates = client.get(discovery_of(patient)).json()["services"][0]["prefetch"]
    found = {}
    for key, template in templates.items():
        response = client.get(f"{FHIR}/{template.replace('{{context.patientId}}', patient.patient_id)}")
        assert response.status_code == 200, (key, response.text)
        found[key] = response.json()
    return found


def signing(client: Client, patient: FixturePatient) -> Json:
    request = order_sign(*patient.unsigned, prefetch=filled(client, patient), patientId=patient.patient_id)
    del request["context"]["encounterId"]
    return request


def shown(response: httpx.Response) -> dict[str, str]:
    assert response.status_code == 200, response.text
    return {card["source"]["topic"]["code"]: card["indicator"] for card in response.json()["cards"]}


# -------------------------------------------------------------------------------------------------------- the patients


@EVERY
def test_each_patient_shows_what_its_name_says(client: Client, patient: FixturePatient) -> None:
    response = post(client, signing(client, patient), f"{discovery_of(patient)}/baclofen-safety")
    assert shown(response) == patient.cards


@pytest.mark.parametrize("today", ["2026-12-31", "2028-02-29", "2031-06-01"])
def test_they_never_go_stale(today: str) -> None:
    """The same cards on any day: all dates move together."""
    later = Client(create_app(load(mode="sandbox", today=date.fromisoformat(today))))
    for patient in patients(date.fromisoformat(today)):
        response = post(later, signing(later, patient), f"{discovery_of(patient)}/baclofen-safety")
        assert shown(response) == patient.cards, patient.id


def test_every_bundle_is_in_the_index_and_ids_are_unique() -> None:
    assert {path.stem for path in (ROOT / "fixtures" / "patients").glob("*.json")} == {one.id for one in EVERYBODY}
    references = [f"{one['resourceType']}/{one['id']}" for patient in EVERYBODY for one in patient.chart]
    assert len(references) == len(set(references))


def test_an_installed_wheel_has_them_too(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)  # noqa: S603  # this interpreter
    (wheel,) = tmp_path.glob("*.whl")
    inside = zipfile.ZipFile(wheel).namelist()
    for name in ("patients/index.toml", "patients/ckd-3b.json", "assets/main.js", "templates/page.html"):
        assert f"cds_service/workbench/{name}" in inside


# --------------------------------------------------------------------------------------------------------- the FHIR API


def test_what_is_signed_is_not_on_the_chart_before(client: Client) -> None:
    for patient in EVERYBODY:
        for one in patient.unsigned:
            assert_refused(client.get(f"{FHIR}/{one['resourceType']}/{one['id']}"), 404)


def test_search_is_by_patient_code_and_status(client: Client) -> None:
    kidney = client.get(f"{FHIR}/Observation?patient=ckd-3b&code=http://loinc.org|98979-8&_sort=-date").json()
    assert [one["resource"]["valueQuantity"]["value"] for one in kidney["entry"]] == [38, 43, 47, 52, 58]
    assert kidney["total"] == 5
    running = client.get(f"{FHIR}/MedicationRequest?patient=Patient/dialysis&status=active,on-hold").json()
    assert [one["resource"]["id"] for one in running["entry"]] == ["dialysis-running"]
    assert client.get(f"{FHIR}/MedicationRequest?patient=dialysis&status=stopped").json()["total"] == 0
    assert client.get(f"{FHIR}/Patient?_id=aki,child").json()["total"] == 2


def test_pages_follow_each_other(client: Client) -> None:
    url: str | None = f"{FHIR}/Observation?patient=ckd-3b&_sort=-date&_count=4"
    values, pages = [], 0
    while url:
        page = client.get(url.removeprefix("http://cds.example")).json()
        assert page["total"] == 10
        values += [one["resource"]["id"] for one in page["entry"]]
        url = next((link["url"] for link in page["link"] if link["relation"] == "next"), None)
        pages += 1
    assert pages == 3
    assert len(set(values)) == 10


@pytest.mark.parametrize(
    "query", ["date=gt2020-01-01", "patient.name=x", "_include=*", "_count=-1", "_count=x", "_sort=code", "_offset=1e3"]
)
def test_a_filter_that_is_not_known_is_refused_not_ignored(client: Client, query: str) -> None:
    assert_refused(client.get(f"{FHIR}/Observation?patient=ckd-3b&{query}"), 400)


def test_what_is_not_there_is_404_and_nothing_is_written(client: Client) -> None:
    assert_refused(client.get(f"{FHIR}/Patient/nobody"), 404)
    assert_refused(client.get(f"{FHIR}/Immunization?patient=ckd-3b"), 404)
    refused = client.request("POST", f"{FHIR}/Patient", content="{}", headers={"content-type": "application/json"})
    assert_refused(refused, 405)


def test_metadata_says_r4(client: Client) -> None:
    capabilities = client.get(f"{FHIR}/metadata").json()
    assert capabilities["fhirVersion"] == "4.0.1"
    assert {one["type"] for one in capabilities["rest"][0]["resource"]} >= {"Patient", "Observation", "Condition"}


# ------------------------------------------------------------------------------------------------------------- the page


def test_the_root_leads_to_it(client: Client) -> None:
    response = client.get("/")
    assert response.status_code == 307
    assert response.headers["location"] == "/workbench"


def test_nothing_on_it_comes_from_elsewhere(client: Client) -> None:
    response = client.get("/workbench")
    policy = response.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    for directive in ("script-src", "style-src", "connect-src"):
        assert f"{directive} 'self';" in policy
    html = response.text
    assert not re.search(r'(?:src|href)="(?:https?:)?//', html)
    assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:", html)
    scripts = re.findall(r"<script[^>]*>", html)
    assert all("src=" in one or 'type="application/json"' in one for one in scripts)
    assert "Sandbox" in html


def test_its_files_are_all_there(client: Client) -> None:
    html = client.get("/workbench").text
    wanted = set(re.findall(r'(?:src|href)="(workbench/assets/[^"]+)"', html))
    for name in ("main.js", "workbench.css", "icon.svg"):
        assert f"workbench/assets/{name}" in wanted
    modules = re.findall(r'from "\./([\w.]+)"', client.get("/workbench/assets/main.js").text)
    for path in [*wanted, *(f"workbench/assets/{name}" for name in modules)]:
        assert client.get(f"/{path}").status_code == 200
    assert_refused(client.get("/workbench/assets/..%2f__init__.py"), 404)


def test_production_has_none_of_it(tmp_path: Path) -> None:
    settings = load(
        mode="production",
        public_base_url="https://cds.example",
        clients={"ehr": {"issuers": ["https://ehr.example"], "jku": ["https://ehr.example/jwks"]}},
        database=f"sqlite:///{tmp_path}/audit.db",
        state_dir=tmp_path,
    )
    assert clients.load(settings)
    production = Client(create_app(settings))
    for address in ("/", *ADDRESSES):
        assert_refused(production.get(address), 404)


def test_in_sandbox_mode_they_are_all_there(client: Client) -> None:
    for address in ADDRESSES:
        assert client.get(address).status_code == 200, address


# ------------------------------------------------------------------------------------------------- what the page asks


def test_markdown_is_rendered_without_html_and_without_scripts(client: Client) -> None:
    texts = ["**bold** <img src=x onerror=alert(1)>", "[a](javascript:alert(1)) [b](https://doi.org/1)", "- one\n- two"]
    first, second, third = post(client, {"texts": texts}, "/workbench/markdown").json()["html"]
    assert first == "<p><strong>bold</strong> &lt;img src=x onerror=alert(1)&gt;</p>\n"
    assert 'href="javascript' not in second
    assert '<a target="_blank" rel="noopener noreferrer" href="https://doi.org/1">b</a>' in second
    assert third.count("<li>") == 2


def test_why_says_the_same_as_the_answer(client: Client) -> None:
    (patient,) = [one for one in EVERYBODY if one.id == "everything-at-once"]
    request = signing(client, patient)
    answered = post(client, request).json()["cards"]
    why = post(client, request, "/workbench/as/generic-us/explain").json()
    assert [card["summary"] for card in why["cards"]] == [card["summary"] for card in answered]
    assert len(why["outcomes"]) == len(why["words"]["rules"])
    fired = {one["rule"] for one in why["outcomes"] if one["outcome"] == "Finding"}
    assert fired >= {"renal-dose-exceeds-limit", "start-dose-too-high", "opioid-coprescription", "cns-depressant-load"}
    assert {"rule": "start-dose-too-high", "why": "merged into renal-dose-exceeds-limit"} in why["dropped"]
    kidney = [one for one in why["words"]["facts"] if one["fact"] == "kidney result"]
    assert kidney[0]["from"] == "Observation/everything-at-once-egfr-4: LOINC 98979-8"


def test_why_refuses_as_the_service_does(client: Client) -> None:
    request = order_sign(prefetch={})
    assert_refused(post(client, request), 412)
    assert_refused(post(client, request, "/workbench/as/generic-us/explain"), 412)


def test_each_role_is_answered_in_its_dialect(client: Client) -> None:
    (patient,) = [one for one in EVERYBODY if one.id == "ckd-3b"]
    request = signing(client, patient)
    of = {
        role: post(client, request, f"/workbench/as/{role}/cds-services/baclofen-safety").json()["cards"]
        for role in ("epic-us", "info-only-us", "generic-fr")
    }
    assert all("suggestions" not in card for card in of["info-only-us"])
    offered = [one for card in of["epic-us"] for one in card.get("suggestions", ())]
    assert all(len(one["actions"]) == 1 and one["actions"][0]["type"] != "update" for one in offered)
    assert [action["type"] for one in of["generic-fr"][0]["suggestions"] for action in one["actions"]] == [
        "update",
        "delete",
    ]


def test_feedback_of_a_role_is_taken(client: Client) -> None:
    feedback = {"feedback": [{"card": "5b0f6e2c-6c1b-4a55-9c6e-8a4c1f5f3b01", "outcome": "accepted"}]}
    assert post(client, feedback, "/workbench/as/epic-us/cds-services/baclofen-safety/feedback").status_code == 200


# ------------------------------------------------------------------------------------------------------ bring your own

BROUGHT = {
    "resourceType": "Bundle",
    "type": "transaction",
    "entry": [
        {
            "fullUrl": "urn:uuid:61ebe121-bfdc-4b1c-a8a0-5b1c0d0f6a11",
            "resource": {
                "resourceType": "Patient",
                "name": [{"family": "<b>Bold</b>", "given": ["Ada"]}],
                "birthDate": "1950-01-01",
                "gender": "female",
            },
        },
        {
            "resource": {
                "resourceType": "Observation",
                "id": "o1",
                "status": "final",
                "code": {"coding": [{"system": "http://loinc.org", "code": "98979-8"}]},
                "subject": {"reference": "urn:uuid:61ebe121-bfdc-4b1c-a8a0-5b1c0d0f6a11"},
                "effectiveDateTime": "2026-11-01",
                "valueQuantity": {"value": 25, "unit": "mL/min/1.73 m2"},
            }
        },
    ],
}


def test_a_bundle_that_is_brought_can_be_searched_and_seen(client: Client) -> None:
    chart = post(client, {"bundle": BROUGHT}, "/workbench/chart").json()
    assert chart["patientId"] == "61ebe121-bfdc-4b1c-a8a0-5b1c0d0f6a11"
    assert "eGFR 25" in chart["chart"]
    assert "<b>" not in chart["chart"]
    assert "&lt;b&gt;Bold" in chart["chart"]
    queries = {
        "patient": f"Patient/{chart['patientId']}",
        "kidney": f"Observation?patient={chart['patientId']}&code=http://loinc.org|98979-8&_sort=-date&_count=100",
    }
    found = post(client, {"resources": chart["resources"], "queries": queries}, "/workbench/prefetch").json()
    assert found["patient"]["birthDate"] == "1950-01-01"
    assert found["kidney"]["total"] == 1


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'{"bundle": 1}',
        b'{"bundle": {"resourceType": "Bundle"}}',
        json.dumps({"bundle": {"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "Patient"}}] * 2}}),
        b'{"bundle": {"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "Observation", "id": "x"}}]}}',
    ],
)
def test_what_cannot_be_a_chart_is_refused(client: Client, body: bytes) -> None:
    assert_refused(post(client, body, "/workbench/chart"), 400)


CAPTURED = sorted((ROOT / "fixtures" / "requests" / "cds-hooks-sandbox").glob("req-order-*.json"))


@pytest.mark.parametrize("path", CAPTURED, ids=lambda path: path.stem)
def test_a_request_that_is_brought_has_its_own_chart(client: Client, path: Path) -> None:
    request = json.loads(path.read_bytes())["body"]
    assert post(client, {"request": request}, "/workbench/chart").status_code == 200
