/** The order form: shows the order of the session, and writes each field back into its resource. */

import { byId, element } from "./elements.js";
import * as order from "./order.js";

const MOST_LINES = 4;

export class Form {
  constructor(session, products, changed) {
    this.session = session;
    this.products = new Map(products.map((one) => [one.code, one]));
    this.changed = changed;
    this.listen();
  }

  /** Orders of the chart that this one may replace: [{reference, label}]. */
  offer(running) {
    byId("replaces").replaceChildren(element("option", { value: "" }, "no order"),
      ...running.map((one) => element("option", { value: one.reference }, one.label)));
  }

  listen() {
    const set = (make, typing = false) => {
      if (!this.session.order) return;
      this.session.change(make(this.session.order));
      this.changed(typing);
    };
    byId("product").addEventListener("change", (event) => {
      const chosen = this.products.get(event.target.value);
      if (chosen) set((one) => order.withProduct(one, chosen));
    });
    byId("needed").addEventListener("change", (event) => set((one) => order.withNeeded(one, event.target.checked)));
    byId("reason").addEventListener("change", (event) => set((one) => order.withReason(one, event.target.value, event.target.selectedOptions[0].textContent)));
    byId("replaces").addEventListener("change", (event) => set((one) => order.withReplaces(one, event.target.value)));
    byId("supply").addEventListener("input", (event) => set((one) => order.withSupply(one, Number(event.target.value) || null), true));
    byId("add-line").addEventListener("click", () => set(order.withNextLine));
    byId("stops").addEventListener("change", (event) => set((one) => order.withStops(one, event.target.value === "yes")));
    const readLine = (event) => {
      const row = event.target.closest("[data-line]");
      const field = (name) => row.querySelector(`[data-field=${name}]`)?.value ?? "";
      const amount = Number(field("amount"));
      const values = { amount: amount >= 0 ? amount : 0, unit: field("unit"), often: field("often") || "3", days: Number(field("days")) || null, words: field("words") };
      // While somebody types, or has just left a field for the next, the fields are left alone.
      set((one) => order.withLine(one, Number(row.dataset.line), values), event.target.localName === "input");
    };
    byId("lines").addEventListener("input", readLine);
  }

  show() {
    const { session } = this;
    const one = session.order;
    byId("order-gone").hidden = one !== null;
    byId("order-fields").hidden = one === null;
    byId("sign").disabled = !session.orders.length;
    this.showOthers();
    if (!one) return;
    const known = order.product(one, session.orders, this.products);
    choose("product", known, "other-product", order.label(one, session.orders));
    choose("reason", order.reason(one), "other-reason", order.reasonLabel(one) || "stated in words");
    const prior = order.replaces(one);
    if (prior && ![...byId("replaces").options].some((option) => option.value === prior)) byId("replaces").append(element("option", { value: prior }, prior));
    byId("replaces").value = prior;
    byId("needed").checked = order.needed(one);
    byId("supply").value = order.supply(one) ?? "";
    const stopping = order.stops(one);
    byId("stops").value = stopping ? "yes" : "no";
    byId("order-state").textContent = stopping ? `unsigned, ${one.status}` : "unsigned";
    this.showLines(order.lines(one));
    this.showDaily();
  }

  showDaily() {
    const one = this.session.order;
    const strength = this.products.get(order.product(one, this.session.orders, this.products));
    const daily = order.daily(one, { unit: Number(strength?.mg_per_unit) || null, ml: Number(strength?.mg_per_ml) || null });
    byId("daily").textContent = daily === null ? "" : `${daily} mg/day${order.lines(one).length > 1 && order.lines(one)[0].sequence ? " at first" : ""}`;
  }

  showLines(lines) {
    const focused = document.activeElement?.dataset?.at;
    const rows = lines.map((one, n) => lineRow(one, n, lines.length, () => {
      this.session.change(order.withoutLine(this.session.order, n));
      this.changed();
    }));
    const opened = byId("lines").querySelector("details")?.open ?? false;
    byId("lines").classList.toggle("several", lines.length > 1);
    byId("lines").replaceChildren(...(lines.length > MOST_LINES ? [inSteps(this.session.order, rows, opened)] : rows));
    if (focused) byId("lines").querySelector(`[data-at="${focused}"]`)?.focus();
  }

  showOthers() {
    const { others } = this.session;
    byId("others").hidden = !others.length;
    byId("others").replaceChildren(element("h3", {}, "Also unsigned in this session"), element("ul", {}, ...others.map((one) => {
      const sigs = order.lines(one).map(order.sig).join("; ");
      const remove = element("button", { type: "button", class: "quiet", "aria-label": `Remove ${order.label(one)}` }, "Remove");
      remove.addEventListener("click", () => { this.session.remove(one); this.changed(); });
      return element("li", {}, element("span", { class: "what" }, order.label(one, this.session.orders)),
        element("span", { class: "more" }, [sigs, one.status === "draft" ? "" : one.status].filter(Boolean).join(", ")), remove);
    })));
  }
}

/** A taper is read as steps; its many lines are there to be edited. */
function inSteps(one, rows, opened) {
  const steps = order.steps(one);
  return element("div", {},
    element("ol", { class: "steps" }, ...steps.map((step) => element("li", {}, step.replace(/^\d+\. /, "")))),
    element("details", { open: opened }, element("summary", {}, `Edit its ${rows.length} dose lines`), element("div", { class: "lines" }, ...rows)));
}

/** Chooses a value, or shows what the form has no option for as it is. */
function choose(id, value, other, words) {
  const select = byId(id);
  const listed = [...select.options].some((option) => option.value === value && option.id !== other);
  byId(other).hidden = listed;
  byId(other).textContent = words;
  if (listed) select.value = value;
  else byId(other).selected = true;
}

function lineRow(one, n, count, remove) {
  const field = (name, made) => { made.dataset.field = name; made.dataset.at = `${name}-${n}`; return made; };
  const labelled = (words, made, style = "") => element("label", { class: style }, element("span", { class: "label" }, words), made);
  const options = (entries, chosen) => entries.map(([value, words]) => element("option", { value, selected: value === chosen }, words));
  const which = count > 1 ? ` ${n + 1}` : "";
  const parts = one.unit === "words"
    ? [labelled(`Instruction${which}`, field("words", element("input", { type: "text", value: one.words })), "grow")]
    : [
      labelled(`Dose${which}`, field("amount", element("input", { type: "number", min: "0", step: "any", value: one.amount, inputmode: "decimal" })), "amount")];
  parts.push(labelled("Unit", field("unit", element("select", {}, ...options(Object.entries(order.UNITS), one.unit)))));
  if (!["words", "ug/day"].includes(one.unit)) {
    parts.push(labelled("How often", field("often", element("select", {}, ...options(Object.entries(order.OFTEN).map(([key, [words]]) => [key, words]), one.often))), "grow"));
    if (count > 1 || one.days) parts.push(labelled("For days", field("days", element("input", { type: "number", min: "1", max: "365", value: one.days ?? "", placeholder: "on" })), "days"));
  }
  if (count > 1) parts.push(element("button", { type: "button", class: "quiet remove", "aria-label": `Remove step ${n + 1}`, on: { click: remove } }, "×"));
  return element("div", { class: "line", "data-line": n }, one.sequence && count > 1 ? element("span", { class: "sequence", title: "sequence" }, one.sequence) : null, ...parts);
}
