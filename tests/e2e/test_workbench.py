"""The story of the workbench in Chromium: pick, sign, read, take or dismiss, ask why; and what failure looks like."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.conformance.process import Service
from tests.e2e.workbench import Workbench

REQUESTS = Path(__file__).parents[2] / "fixtures" / "requests"


@pytest.fixture
def workbench(page: Page, pictures: Path | None) -> Workbench:
    return Workbench(page, pictures)


# ------------------------------------------------------------------------------------------------------- four patients


def test_kidneys_a_critical_card_is_taken_and_the_order_is_safe_afterwards(workbench: Workbench) -> None:
    page = workbench.page
    page.goto("/")
    page.wait_for_selector(".person")
    expect(page.locator(".sandbox")).to_contain_text("Sandbox")
    expect(page.locator("#chart")).to_contain_text("72 y")
    expect(page.locator("#chart .newest")).to_contain_text("eGFR 38")
    assert workbench.dose() == [("10", "mg", "3")]
    assert workbench.violations() == []
    workbench.picture("first-screen", whole=False)

    request = workbench.sign()
    assert request["hook"] == "order-sign"
    assert set(request["prefetch"]) >= {"patient", "kidney", "medications", "conditions"}
    assert workbench.cards() == {"renalDoseExceedsLimit": "critical"}
    expect(page.locator("#status")).to_contain_text("answered in")
    expect(page.locator(".card h3")).to_contain_text("eGFR 38")
    expect(page.locator(".card .detail strong").first).to_have_text("Order:")
    assert workbench.violations() == []
    workbench.picture("critical-card")

    told = workbench.take("Change to 2.5 mg TID")
    assert told["outcome"] == "accepted"
    assert told["acceptedSuggestions"][0]["id"]
    assert workbench.changes() == {"Dose": ("10 mg three times daily", "2.5 mg three times daily")}
    assert workbench.dose() == [("2.5", "mg", "3")]
    expect(page.locator("#daily")).to_have_text("7.5 mg/day")
    expect(page.locator("#changes")).to_be_visible()
    assert workbench.violations() == []
    workbench.picture("accepted")

    signed_again = workbench.sign()
    quantity = signed_again["context"]["draftOrders"]["entry"][0]["resource"]["dosageInstruction"][0]["doseAndRate"][0]
    assert quantity["doseQuantity"]["value"] == 2.5
    assert "critical" not in workbench.cards().values()


def test_opioids_naloxone_joins_the_session_and_goes_out_with_it(workbench: Workbench) -> None:
    workbench.open()
    workbench.pick("oxycodone-90-mme")
    workbench.sign()
    assert workbench.cards() == {"opioidCoprescription": "critical"}
    workbench.take("Add naloxone 4 mg nasal spray")
    expect(workbench.page.locator("#others")).to_contain_text("naloxone 4 mg nasal spray")
    request = workbench.sign()
    drafts = [entry["resource"]["resourceType"] for entry in request["context"]["draftOrders"]["entry"]]
    assert drafts == ["MedicationRequest", "MedicationRequest"]
    workbench.page.get_by_role("button", name="Remove naloxone").click()
    expect(workbench.page.locator("#others")).to_be_hidden()


def test_a_stop_becomes_a_taper_of_eight_steps(workbench: Workbench) -> None:
    workbench.open("#p=stable-60-stopped")
    assert workbench.value("#stops") == "yes"
    workbench.sign()
    assert workbench.cards() == {"abruptDiscontinuation": "critical"}
    workbench.take("Taper: first week 15/15/20 mg (50 mg/day)")
    assert workbench.changes()["Status"] == ("stopped", "active")
    steps = workbench.page.locator("#lines .steps li")
    expect(steps).to_have_count(8)
    expect(steps.first).to_have_text("15 mg in the morning + 15 mg in the afternoon + 20 mg at night, 7 days")
    assert workbench.value("#stops") == "no"
    workbench.picture("taper")


def test_one_suggestion_with_two_actions_changes_both_orders(workbench: Workbench) -> None:
    page = workbench.page
    workbench.open("#p=duplicate")
    workbench.sign()
    workbench.take("Replace the existing baclofen order by this one")
    expect(page.locator("#changes .action")).to_have_count(2)
    expect(page.locator("#changes")).to_contain_text("Changed on the chart")
    assert workbench.value("#replaces") == "MedicationRequest/duplicate-running"
    expect(page.locator("#others")).to_contain_text("stopped")
    request = workbench.sign()
    stopped = [entry["resource"]["status"] for entry in request["context"]["draftOrders"]["entry"]]
    assert sorted(stopped) == ["draft", "stopped"]
    assert "duplicateBaclofen" not in workbench.cards()


# ---------------------------------------------------------------------------------------- dismissing, removing, no card


def test_a_dismissed_card_asks_why_and_says_so(workbench: Workbench) -> None:
    page = workbench.page
    workbench.open("#p=everything-at-once")
    workbench.sign()
    card = page.locator('.card[data-topic="opioidCoprescription"]')
    card.get_by_text("Dismiss…").click()
    card.get_by_role("button", name="Dismiss card").click()
    expect(card.get_by_text("Choose a reason.")).to_be_visible()
    card.get_by_text("Dismiss…").click()
    told = workbench.dismiss("opioidCoprescription", "Naloxone is already available")
    assert told["outcome"] == "overridden"
    assert told["overrideReason"]["reason"]["code"] == "naloxone-already-available"
    expect(card.locator(".outcome")).to_contain_text("Dismissed: Naloxone is already available")
    page.click("#tab-feedback")
    expect(page.locator("#panel-feedback")).to_contain_text("overridden: taken")
    assert workbench.violations() == []


def test_the_order_is_removed_and_written_anew(workbench: Workbench) -> None:
    page = workbench.page
    workbench.open("#p=allergy")
    workbench.sign()
    workbench.take("Remove this baclofen order")
    expect(page.locator("#order-gone")).to_be_visible()
    expect(page.locator("#sign")).to_be_disabled()
    page.click("#write-new")
    assert workbench.dose() == [("5", "mg", "3")]
    expect(page.locator("#sign")).to_be_enabled()


def test_no_card_is_said_and_explained(workbench: Workbench) -> None:
    workbench.open("#p=nothing-to-say")
    workbench.sign()
    expect(workbench.page.locator(".clear")).to_contain_text("Checked, and nothing to say.")
    expect(workbench.page.locator("#panel-rules")).to_contain_text("0 fired")
    assert workbench.violations() == []


# ----------------------------------------------------------------------------------------------------- the ways to call


def test_dialects_words_only_and_epic(workbench: Workbench) -> None:
    page = workbench.page
    workbench.open("#p=epic-shaped")
    assert workbench.value("#dialect") == "epic"
    workbench.sign()
    assert workbench.cards() == {"renalDoseExceedsLimit": "critical"}
    expect(page.locator(".suggestion")).to_have_count(0)
    page.locator("#how summary").click()
    page.select_option("#dialect", "generic")
    expect(page.locator("#status")).to_contain_text("sign again")
    workbench.sign()
    assert page.locator(".suggestion").count() > 0


def test_without_prefetch_the_service_reads_the_same_from_the_fhir_server(workbench: Workbench) -> None:
    workbench.open("#p=ckd-3b&prefetch=none")
    request = workbench.sign()
    assert "prefetch" not in request
    assert request["fhirServer"].endswith("/workbench/fhir")
    assert workbench.cards() == {"renalDoseExceedsLimit": "critical"}


def test_order_select_names_the_selected_order(workbench: Workbench) -> None:
    workbench.open("#p=ckd-3b&hook=order-select")
    expect(workbench.page.locator("#sign")).to_have_text("Select order")
    request = workbench.sign()
    assert request["hook"] == "order-select"
    assert request["context"]["selections"] == ["MedicationRequest/ckd-3b-order"]


def test_some_keys_only(workbench: Workbench) -> None:
    workbench.open("#p=ckd-3b&prefetch=some&keys=patient,conditions&fhir=no")
    request = workbench.sign()
    assert set(request["prefetch"]) == {"patient", "conditions"}
    assert "fhirServer" not in request
    expect(workbench.page.locator("#panel-rules")).to_contain_text("Cannot assess")


# -------------------------------------------------------------------------------------------------- order form and link


def test_an_edited_order_is_what_goes_out_and_what_the_link_holds(
    workbench: Workbench, context: BrowserContext
) -> None:
    page = workbench.page
    workbench.open()
    page.select_option("#product", "250976")
    page.fill("[data-field=amount]", "7.5")
    page.select_option("[data-field=unit]", "mL")
    page.select_option("[data-field=often]", "2")
    page.check("#needed")
    page.fill("#supply", "14")
    page.select_option("#reason", "M62.838")
    expect(page.locator("#daily")).to_have_text("15 mg/day")
    request = workbench.sign()
    order = request["context"]["draftOrders"]["entry"][0]["resource"]
    assert order["medicationCodeableConcept"]["coding"][0]["code"] == "250976"
    (instruction,) = order["dosageInstruction"]
    assert instruction["timing"]["repeat"] == {"frequency": 2, "period": 1, "periodUnit": "d"}
    assert instruction["doseAndRate"][0]["doseQuantity"] == {
        "value": 7.5, "unit": "mL", "system": "http://unitsofmeasure.org", "code": "mL",
    }  # fmt: skip
    assert instruction["asNeededBoolean"] is True
    assert order["dispenseRequest"]["expectedSupplyDuration"]["value"] == 14
    assert order["reasonCode"][0]["coding"][0]["code"] == "M62.838"

    link = page.url
    assert "Ruth" not in link
    other = context.new_page()
    other.goto(link)
    other.wait_for_selector(".person")
    again = Workbench(other).sign()
    assert again["context"]["draftOrders"]["entry"][0]["resource"] == order


def test_a_link_that_is_pasted_into_the_open_page_is_followed(workbench: Workbench) -> None:
    workbench.open()
    workbench.page.evaluate("location.hash = '#p=allergy'")
    expect(workbench.page.locator("#chart")).to_contain_text("Mina Example")


def test_a_link_signs_at_once_when_it_says_so(workbench: Workbench) -> None:
    workbench.page.goto("/workbench#p=ckd-3b&dose=5_mg_3&sign")
    workbench.page.wait_for_selector(".card")
    assert workbench.dose() == [("5", "mg", "3")]


@pytest.mark.parametrize(
    "fragment",
    [
        "#p=nobody", "#p=<img src=x>", "#p=ckd-3b&dose=<b>1</b>_mg_3&product=999&hook=x&dialect=y&replaces=z",
        "#p=ckd-3b&dose=%E0%A4%A&supply=-4&labels=XX", "#nonsense",
    ],
)  # fmt: skip
def test_a_link_can_only_choose_among_what_the_page_offers(workbench: Workbench, fragment: str) -> None:
    workbench.open(fragment)
    assert workbench.dose() == [("10", "mg", "3")]
    assert workbench.value("#dialect") == "generic"
    expect(workbench.page.locator("#chart")).to_contain_text("Ruth Example")


def test_a_step_is_added_and_removed(workbench: Workbench) -> None:
    page = workbench.page
    workbench.open("#p=nothing-to-say")
    page.click("#add-line")
    page.fill("[data-line='0'] [data-field=days]", "7")
    page.fill("[data-line='1'] [data-field=amount]", "10")
    request = workbench.sign()
    first, second = request["context"]["draftOrders"]["entry"][0]["resource"]["dosageInstruction"]
    assert (first["sequence"], second["sequence"]) == (1, 2)
    assert first["timing"]["repeat"]["boundsDuration"]["value"] == 7
    assert second["doseAndRate"][0]["doseQuantity"]["value"] == 10
    page.get_by_role("button", name="Remove step 2").click()
    assert len(workbench.dose()) == 1
    page.click("#reset")
    assert workbench.dose() == [("5", "mg", "3")]


# ------------------------------------------------------------------------------------------------------------------ why


def test_why_has_rules_facts_request_and_response(workbench: Workbench) -> None:
    page = workbench.page
    workbench.open()
    workbench.sign()
    rules = page.locator("#panel-rules")
    expect(rules).to_contain_text("limit15 mg/day", use_inner_text=False)
    expect(rules).to_contain_text("merged into renal-dose-exceeds-limit")
    rules.get_by_text("Not indicated (").click()
    expect(rules).to_contain_text("30 mg/day is not above 80 mg/day")
    workbench.picture("why")
    page.click("#tab-facts")
    row = page.locator("#panel-facts tr", has_text="38 mL/min/1.73 m²").first
    expect(row).to_contain_text("Observation/ckd-3b-egfr-5: LOINC 98979-8")
    assert workbench.violations() == []
    page.click("#tab-request")
    expect(page.locator("#panel-request .curl")).to_contain_text("curl -sS -H 'Content-Type: application/json'")
    with page.expect_download() as saved:
        page.locator("#panel-request").get_by_role("button", name="Download").click()
    request = json.loads(Path(saved.value.path()).read_text(encoding="utf-8"))
    assert request["hook"] == "order-sign"
    page.click("#tab-response")
    response = json.loads(page.locator("#panel-response pre").inner_text())
    assert response["cards"][0]["indicator"] == "critical"
    assert workbench.violations() == []


def test_the_tabs_follow_the_arrow_keys(workbench: Workbench) -> None:
    page = workbench.page
    workbench.open()
    workbench.sign()
    page.focus("#tab-rules")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#tab-facts")).to_be_focused()
    expect(page.locator("#panel-facts")).to_be_visible()
    expect(page.locator("#panel-rules")).to_be_hidden()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#tab-feedback")).to_be_focused()


def test_the_whole_story_by_keyboard(workbench: Workbench) -> None:
    page = workbench.page
    workbench.open()
    page.focus("#sign")
    page.keyboard.press("Enter")
    page.wait_for_selector(".card")
    expect(page.locator("#cards-heading")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator(".suggestion").first).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_selector("#changes:not([hidden])")
    assert workbench.dose() == [("2.5", "mg", "3")]


# ------------------------------------------------------------------------------------------------------ what went wrong


def test_a_refusal_says_not_checked_and_how_to_cure_it(workbench: Workbench) -> None:
    page = workbench.page
    workbench.open("#p=ckd-3b&prefetch=none&fhir=no")
    workbench.sign()
    failed = page.locator(".failed")
    expect(failed).to_contain_text("Not checked")
    expect(failed).to_contain_text("412")
    expect(failed).to_contain_text("Send the prefetch keys")
    expect(page.locator(".clear")).to_have_count(0)
    assert workbench.violations() == []
    workbench.picture("refused-412", whole=False)


@pytest.mark.parametrize("address", ["**/cds-services", "**/baclofen-safety"])
def test_a_service_that_is_down_says_not_checked(workbench: Workbench, address: str) -> None:
    page = workbench.page
    workbench.open()
    workbench.sign()
    page.route(address, lambda route: route.abort())
    page.click("#sign")
    expect(page.locator(".failed")).to_contain_text("did not answer")
    expect(page.locator(".card, .clear")).to_have_count(0)
    assert workbench.violations() == []
    workbench.picture("service-down", whole=False)


@pytest.mark.parametrize("body", ["", "<html>502</html>", '{"cards": null}', "[]"])
def test_an_answer_that_is_no_list_of_cards_is_not_all_clear(workbench: Workbench, body: str) -> None:
    workbench.open()
    workbench.page.route("**/baclofen-safety", lambda route: route.fulfill(status=200, body=body))
    workbench.page.click("#sign")
    expect(workbench.page.locator(".failed")).to_contain_text("Not checked")
    expect(workbench.page.locator(".clear")).to_have_count(0)


def test_hostile_cards_run_nothing(workbench: Workbench) -> None:
    """Markup in any member of a card stays text."""
    page = workbench.page
    evil = "<img src=x onerror=\"document.title='bad'\"><script>document.title='bad'</script>"
    card = {
        "uuid": "u", "summary": evil, "detail": evil, "indicator": evil,
        "source": {"label": evil, "url": "javascript:0"},
        "links": [{"label": evil, "url": "javascript:document.title='bad'", "type": "absolute"}],
        "suggestions": [{"label": evil, "uuid": evil, "actions": []}],
        "overrideReasons": [{"code": "c", "system": "s", "display": evil}],
    }  # fmt: skip
    workbench.open()
    page.route("**/baclofen-safety", lambda route: route.fulfill(status=200, json={"cards": [card]}))
    page.click("#sign")
    page.wait_for_selector(".card")
    page.wait_for_timeout(200)
    assert page.title() == "Baclofen CDS workbench (sandbox)"
    assert page.locator(".card img, .card script").count() == 0
    assert page.locator(".card a[href^='javascript']").count() == 0


# ------------------------------------------------------------------------------------------------------ bring your own


def test_a_request_is_brought_edited_and_signed(workbench: Workbench) -> None:
    page = workbench.page
    brought = (REQUESTS / "examples" / "dialysis-renewal.json").read_text(encoding="utf-8")
    workbench.open()
    page.click("#bring")
    assert workbench.violations() == []
    page.fill("#own-text", brought)
    page.get_by_role("button", name="Use it").click()
    expect(page.locator("#own")).to_be_hidden()
    expect(page.locator("#chart")).to_contain_text("Dependence on renal dialysis")
    assert workbench.dose() == [("5", "mg", "4")]
    request = workbench.sign()
    assert request["prefetch"] == json.loads(brought)["prefetch"]
    assert workbench.cards() == {"renalDialysis": "critical"}
    assert page.url.endswith("/workbench")


def test_a_captured_request_is_unwrapped(workbench: Workbench) -> None:
    page = workbench.page
    captured = REQUESTS / "cds-hooks-sandbox" / "req-order-sign-baclofen-10mg-2-tid.json"
    workbench.open()
    page.click("#bring")
    page.set_input_files("#own-file", captured)
    expect(page.locator("#own")).to_be_hidden()
    assert workbench.dose() == [("2", "tablet", "3")]
    workbench.sign()
    assert "startDoseTooHigh" in workbench.cards() or "renalFunctionUnknown" in workbench.cards()


@pytest.mark.parametrize("name", [path.stem for path in sorted((REQUESTS / "cds-hooks-sandbox").glob("*.json"))])
def test_every_captured_request_can_be_brought_and_signed(workbench: Workbench, name: str) -> None:
    """Drafts of other versions, without id, without medicine, none at all: the page shows and sends them."""
    page = workbench.page
    workbench.open()
    page.click("#bring")
    page.fill("#own-text", (REQUESTS / "cds-hooks-sandbox" / f"{name}.json").read_text(encoding="utf-8"))
    page.get_by_role("button", name="Use it").click()
    expect(page.locator("#own")).to_be_hidden()
    workbench.sign()
    assert page.locator(".card, .failed, .clear").count() >= 1


def test_a_file_is_dropped_on_the_page(workbench: Workbench) -> None:
    page = workbench.page
    text = (REQUESTS / "examples" / "opioid-90-mme.json").read_text(encoding="utf-8")
    workbench.open()
    dropped = page.evaluate_handle(
        "text => { const data = new DataTransfer(); data.items.add(new File([text], 'request.json')); return data; }",
        text,
    )
    page.dispatch_event("body", "drop", {"dataTransfer": dropped})
    expect(page.locator("#shows")).to_contain_text("Your hook request")
    workbench.sign()
    assert workbench.cards() == {"opioidCoprescription": "critical"}


def test_a_bundle_is_brought_and_nothing_of_it_stands_in_the_address(workbench: Workbench) -> None:
    page = workbench.page
    request = json.loads((REQUESTS / "examples" / "ckd-3b-new-order.json").read_text(encoding="utf-8"))
    entries = [{"resource": request["prefetch"]["patient"]}, *request["prefetch"]["kidney"]["entry"]]
    workbench.open()
    page.click("#bring")
    page.fill("#own-text", json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries}))
    page.get_by_role("button", name="Use it").click()
    expect(page.locator("#chart")).to_contain_text("eGFR 38")
    assert workbench.dose() == [("5", "mg", "3")]
    sent = workbench.sign()
    assert sent["prefetch"]["kidney"]["total"] == 1
    assert "fhirServer" not in sent
    assert page.url.endswith("/workbench")
    assert not page.locator("#link").is_visible()


@pytest.mark.parametrize(
    ("pasted", "said"),
    [
        ("", "nothing to read yet"),
        ('{"hook": "order-sign", "con', "not JSON"),
        ('{"a": 1}', "neither a CDS Hooks request"),
        ('{"resourceType": "Patient", "id": "x"}', "one FHIR resource (Patient)"),
        ('{"hook": "order-sign"}', "without context.patientId"),
        ('{"resourceType": "Bundle", "entry": []}', "the Bundle"),
    ],
)
def test_a_bad_paste_says_what_is_wrong(workbench: Workbench, pasted: str, said: str) -> None:
    page = workbench.page
    workbench.open()
    page.click("#bring")
    page.fill("#own-text", pasted)
    page.get_by_role("button", name="Use it").click()
    expect(page.locator("#own-error")).to_contain_text(said)
    assert page.locator("#own").is_visible()
    assert workbench.violations() == []
    page.keyboard.press("Escape")
    expect(page.locator("#own")).to_be_hidden()


# -------------------------------------------------------------------------------------------------- narrow, dark, asked


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [350, 1440])
def test_it_fits_and_is_accessible(
    context: BrowserContext, service: Service, pictures: Path | None, scheme: str, width: int
) -> None:
    page = context.new_page()
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.set_viewport_size({"width": width, "height": 900})
    workbench = Workbench(page, pictures)
    workbench.open("#p=everything-at-once")
    workbench.sign()
    workbench.take("Add naloxone")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert workbench.violations() == []
    workbench.picture(f"{width}-{scheme}")


def test_feedback_reaches_the_service(workbench: Workbench, service: Service) -> None:
    """What was accepted and dismissed is counted."""
    page = workbench.page
    workbench.open("#p=suicide-attempt")
    workbench.sign()
    before = page.request.get("/metrics").text()
    workbench.take("Limit to a 7-day supply")
    workbench.dismiss("audOffLabel", "Under an addiction programme", comment="see the notes")
    assert page.request.get("/metrics").text() != before
