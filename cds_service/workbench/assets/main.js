/** The page: which patient, which order, who asks; then the call, the cards, and why. Read this module first. */

import { openBringing } from "./bring.js";
import { cardElements, noCard, notChecked } from "./cards.js";
import { shownAction } from "./changes.js";
import { discover, fhirServer, get, post, prefetch, root, sendFeedback } from "./client.js";
import { byId, copy, element, fromServer } from "./elements.js";
import { Form } from "./form.js";
import * as link from "./link.js";
import * as order from "./order.js";
import { Session } from "./session.js";
import { showFeedback, showRequest, showResponse, showTabs, showWhy } from "./why.js";

const config = JSON.parse(byId("config").textContent);
const session = new Session();
const form = new Form(session, config.products, orderChanged);
const feedback = [];

/** Who is on the left: a fixture, a Bundle or a request that was brought. */
let patient = null;
let called = null;

// --------------------------------------------------------------------------------------------------- the EHR's settings

const chosen = (id) => byId(id).value;
const role = () => `${chosen("dialect")}-${chosen("jurisdiction").toLowerCase()}`;
const services = () => config.roles[role()];
const serviceUrl = () => `${root}${services()}/${config.service}`;

function keys() {
  const boxes = [...document.querySelectorAll("input[name=key]")];
  if (chosen("prefetch") === "none") return new Set();
  return new Set(boxes.filter((box) => chosen("prefetch") === "all" || box.checked).map((box) => box.value));
}

function settingsChanged() {
  byId("keys").hidden = chosen("prefetch") !== "some";
  const sent = { all: "all prefetch keys", some: `${keys().size} prefetch keys`, none: "no prefetch" }[chosen("prefetch")];
  const words = { generic: "generic", epic: "Epic", "info-only": "words only" }[chosen("dialect")];
  const parts = [chosen("hook"), words, `labels of ${chosen("jurisdiction")}`, patient?.request ? "prefetch as brought" : sent];
  byId("how-summary").textContent = parts.join(" · ");
  byId("sign").textContent = chosen("hook") === "order-sign" ? "Sign order" : "Select order";
  for (const id of ["prefetch", "fhir"]) byId(id).disabled = Boolean(patient?.request);
  byId("fhir").disabled ||= Boolean(patient?.resources);
  stale();
}

// ------------------------------------------------------------------------------------------------------- whose chart

async function pick(id, state = null) {
  const answer = await get(`${root}workbench/patients/${encodeURIComponent(id)}`);
  if (answer.status !== 200) {
    byId("answers").replaceChildren(notChecked(answer));
    return;
  }
  byId("patient").value = id;
  const option = byId("patient").selectedOptions[0];
  byId("dialect").value = state?.dialect && config.roles[`${state.dialect}-us`] ? state.dialect : option.dataset.dialect;
  byId("jurisdiction").value = ["US", "FR"].includes(state?.jurisdiction) ? state.jurisdiction : option.dataset.jurisdiction || config.jurisdiction;
  byId("hook").value = state?.hook === "order-select" ? "order-select" : "order-sign";
  byId("prefetch").value = ["some", "none"].includes(state?.prefetch) ? state.prefetch : "all";
  for (const box of document.querySelectorAll("input[name=key]")) box.checked = state?.keys?.includes(box.value) ?? true;
  byId("fhir").checked = state?.fhir ?? true;
  show({ id, ...answer.body });
  if (state) fill(state.fields);
  remember();
}

/** A patient in place of the one before: chart, order, no cards yet. */
function show(next) {
  patient = next;
  session.load(next.unsigned, next.patientId, new Date().toISOString().slice(0, 10));
  byId("shows").textContent = next.shows ?? "";
  byId("chart").replaceChildren(...fromServer(next.chart));
  form.offer(next.running);
  byId("changes").hidden = true;
  called = null;
  clearAnswer();
  settingsChanged();
  form.show();
}

function fill(fields) {
  const product = form.products.get(fields.product);
  let one = session.order;
  if (!one) return;
  if (product) one = order.withProduct(one, product);
  if (fields.dose) {
    while (order.lines(one).length > fields.dose.length) one = order.withoutLine(one, order.lines(one).length - 1);
    while (order.lines(one).length < fields.dose.length) one = order.withNextLine(one);
    fields.dose.forEach((values, n) => { one = order.withLine(one, n, values); });
  }
  const reason = [...byId("reason").options].find((option) => option.value && option.value === fields.reason);
  if (reason) one = order.withReason(one, reason.value, reason.textContent);
  if (fields.reason === "") one = order.withReason(one, "");
  if (fields.stops !== undefined) one = order.withStops(one, fields.stops === "yes");
  if (fields.needed !== undefined) one = order.withNeeded(one, fields.needed === "yes");
  if (fields.supply !== undefined) one = order.withSupply(one, Math.min(Number(fields.supply) || 0, 365) || null);
  if (patient.running.some((running) => running.reference === fields.replaces) || fields.replaces === "") one = order.withReplaces(one, fields.replaces);
  session.change(one);
  form.show();
}

async function bring({ kind, value }) {
  const answer = await post(`${root}workbench/chart`, kind === "bundle" ? { bundle: value } : { request: value });
  if (answer.status !== 200) {
    const issue = answer.body?.issue?.[0];
    return issue ? `${issue.details.text} ${issue.diagnostics}` : "The service did not answer.";
  }
  const unsigned = answer.body.unsigned;
  const shows = kind === "request" ? `Your hook request, with the prefetch that it carries. Order and hook can be changed here.` : `Your Bundle, kept in this page only.`;
  byId("brought").hidden = false;
  byId("brought").selected = true;
  if (kind === "request" && ["order-sign", "order-select"].includes(value.hook)) byId("hook").value = value.hook;
  show({ ...answer.body, id: null, shows, request: kind === "request" ? value : null, held: answer.body.held, resources: answer.body.resources ?? null, unsigned });
  history.replaceState(null, "", location.pathname);
  byId("order-heading").focus();
  return "";
}

// ----------------------------------------------------------------------------------------------------------- the call

async function sign() {
  const hook = chosen("hook");
  const button = byId("sign");
  button.disabled = true;
  called = null;
  byId("why").hidden = true;
  byId("answers").setAttribute("aria-busy", "true");
  byId("status").textContent = "Asking …";
  const found = await discover(services(), config.service, hook);
  if (!found.service) {
    failed(found.answer);
  } else {
    const request = await requestFor(hook, found.service.prefetch ?? {});
    const url = serviceUrl();
    const answer = await post(url, request);
    called = { url, request, answer, hook, role: role(), shown: found.service };
    await answered();
  }
  byId("answers").removeAttribute("aria-busy");
  button.disabled = !session.orders.length;
  remember();
}

/** The hook call of the EHR: the session's orders, and the prefetch as far as it is sent. */
async function requestFor(hook, templates) {
  const entry = session.orders.map((resource) => ({ resource }));
  const context = { userId: "Practitioner/workbench", patientId: patient.patientId, draftOrders: { resourceType: "Bundle", type: "collection", entry } };
  const selected = hook === "order-select" ? { selections: (session.order ? [session.order] : session.orders).map(order.reference) } : {};
  if (patient.request) {
    const { context: own, ...rest } = patient.request;
    return { ...rest, hook, hookInstance: crypto.randomUUID(), context: { ...own, ...selected, draftOrders: { resourceType: "Bundle", ...own.draftOrders, entry } } };
  }
  const sent = await prefetch(templates, patient.patientId, keys(), patient.resources ?? null);
  const server = byId("fhir").checked && !patient.resources ? { fhirServer } : {};
  const filled = Object.keys(sent).length ? { prefetch: sent } : {};
  return { hook, hookInstance: crypto.randomUUID(), ...server, context: { ...context, ...selected }, ...filled };
}

async function answered() {
  const { answer, request, url, hook } = called;
  const cards = answer.status === 200 ? answer.body?.cards : null;
  if (!Array.isArray(cards)) {
    failed(answer);
  } else {
    byId("answers").replaceChildren(...(cards.length ? await cardElements(cards, { accept, dismiss }) : [noCard(hook)]));
    byId("status").replaceChildren(element("strong", {}, counted(cards)), ` answered in ${answer.milliseconds.toFixed(0)} ms`);
  }
  byId("why").hidden = false;
  showRequest(url, request);
  showResponse(answer);
  showFeedback(feedback);
  showWhy(await post(`${root}workbench/as/${called.role}/explain`, request), config.titles);
  byId("cards-heading").focus({ preventScroll: true });
  byId("cards-heading").scrollIntoView({ block: matchMedia("(max-width: 60rem)").matches ? "start" : "nearest" });
}

function counted(cards) {
  if (!cards.length) return "No card,";
  const of = ["critical", "warning", "info"].map((level) => [level, cards.filter((card) => card.indicator === level).length]);
  return `${cards.length} ${cards.length === 1 ? "card" : "cards"} (${of.filter(([, count]) => count).map(([level, count]) => `${count} ${level}`).join(", ")}),`;
}

function failed(answer) {
  byId("answers").replaceChildren(notChecked(answer));
  byId("status").textContent = "";
}

function clearAnswer() {
  byId("status").textContent = "";
  byId("why").hidden = true;
  byId("answers").replaceChildren(byId("nothing-asked").content.cloneNode(true));
  for (const button of byId("answers").querySelectorAll(".example")) {
    button.addEventListener("click", async () => { await pick(button.dataset.patient); await sign(); });
  }
}

/** The cards are about an order that has changed since. */
function stale() {
  if (called) byId("status").textContent = "The order or the way of calling has changed since: sign again for new cards.";
}

// ----------------------------------------------------------------------------------------------- what became of a card

async function accept(card, suggestion) {
  const done = session.apply(suggestion.actions ?? [], patient.held ?? {});
  byId("changes").replaceChildren(
    element("p", { class: "from" }, "Suggestion taken: ", element("strong", {}, suggestion.label)),
    ...done.map((action) => shownAction(action, session.orders)));
  byId("changes").hidden = false;
  form.show();
  const sent = await tell({ card: card.uuid, outcome: "accepted", acceptedSuggestions: [{ id: suggestion.uuid }] });
  stale();
  byId("changes").scrollIntoView({ block: "nearest" });
  return sent;
}

function dismiss(card, reason, comment) {
  const overrideReason = reason || comment ? { overrideReason: { ...(reason ? { reason } : {}), ...(comment ? { userComment: comment } : {}) } } : {};
  return tell({ card: card.uuid, outcome: "overridden", ...overrideReason });
}

async function tell(entry) {
  const answer = await sendFeedback(called.url, entry);
  feedback.push({ entry, answer });
  showFeedback(feedback);
  return answer.status === 200 ? "The service was told." : answer.status === 0 ? "The service could not be told: no answer." : `The service refused the feedback (${answer.status}).`;
}

// -------------------------------------------------------------------------------------------------------------- the link

function orderChanged(typing = false) {
  if (typing) form.showDaily();
  else form.show();
  stale();
  remember();
}

/** What differs from the fixture's own order. */
function orderFields() {
  const [now, was] = [session.order, session.original];
  if (!now || !was) return {};
  const fields = {};
  const differ = (name, of) => { if (of(now) !== of(was)) fields[name] = of(now); };
  differ("product", (one) => order.product(one, session.orders, form.products));
  differ("dose", (one) => (order.lines(one).every((each) => each.unit !== "words") ? link.doseWritten(order.lines(one)) : ""));
  differ("reason", order.reason);
  differ("stops", (one) => (order.stops(one) ? "yes" : "no"));
  differ("needed", (one) => (order.needed(one) ? "yes" : "no"));
  differ("supply", (one) => order.supply(one) ?? "");
  differ("replaces", order.replaces);
  if (fields.dose === "") delete fields.dose;
  return fields;
}

function stateLink() {
  return link.written({
    patient: patient.id, hook: chosen("hook"), dialect: chosen("dialect"), jurisdiction: chosen("jurisdiction"),
    prefetch: chosen("prefetch"), keys: [...keys()], fhir: byId("fhir").checked, fields: orderFields(),
  });
}

function remember() {
  byId("link").hidden = !patient?.id;
  if (patient?.id) history.replaceState(null, "", stateLink());
}

// ---------------------------------------------------------------------------------------------------------------- start

byId("patient").addEventListener("change", (event) => { if (event.target.value) pick(event.target.value); });
byId("order").addEventListener("submit", (event) => { event.preventDefault(); sign(); });
byId("reset").addEventListener("click", () => { session.reset(); byId("changes").hidden = true; orderChanged(); });
byId("write-new").addEventListener("click", () => { session.writeNew(); orderChanged(); });
byId("link").addEventListener("click", (event) => copy(event.currentTarget, `${location.href.split("#")[0]}${stateLink()}`));
for (const id of ["hook", "dialect", "jurisdiction", "prefetch", "keys", "fhir"]) byId(id).addEventListener("change", () => { settingsChanged(); remember(); });
openBringing(bring);
showTabs();

/** The state of the link, or the first patient. */
async function start() {
  const state = link.read(location.hash);
  const known = state && [...byId("patient").options].some((option) => option.value === state.patient);
  await pick(known ? state.patient : byId("patient").options[0].value, known ? state : null);
  if (known && state.sign) await sign();
}

addEventListener("hashchange", start);
await start();
