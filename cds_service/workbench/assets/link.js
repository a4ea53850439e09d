/**
 * A link that reproduces a state: fixture ids and order fields in the fragment, which no browser sends to a server.
 * Whoever writes a fragment by hand can choose among what the page offers, and nothing else.
 */

import { OFTEN, UNITS } from "./order.js";

const WORDS = /^[a-z0-9][a-z0-9-]*$/;
const LINE = /^(\d+(?:\.\d+)?)_(mg|tablet|mL|ug\/day)_([A-Za-z0-9]+)(?:_(\d+))?$/;

/** {patient, hook, dialect, jurisdiction, prefetch, keys, fhir, fields, sign} → "#p=ckd-3b&...". */
export function written(state) {
  const parts = [["p", state.patient], ["hook", state.hook], ["dialect", state.dialect], ["labels", state.jurisdiction], ["prefetch", state.prefetch]];
  if (state.prefetch === "some") parts.push(["keys", state.keys.join(",")]);
  if (!state.fhir) parts.push(["fhir", "no"]);
  for (const [name, value] of Object.entries(state.fields ?? {})) parts.push([name, value]);
  return `#${parts.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join("&")}`;
}

/** What of the fragment can be used; null when it names no patient. */
export function read(fragment) {
  const given = new Map(fragment.replace(/^#/, "").split("&").filter(Boolean).map((part) => {
    const [name, value = ""] = part.split("=");
    return [name, decoded(value)];
  }));
  const patient = given.get("p") ?? "";
  if (!WORDS.test(patient)) return null;
  return {
    patient,
    hook: given.get("hook"),
    dialect: given.get("dialect"),
    jurisdiction: given.get("labels"),
    prefetch: given.get("prefetch"),
    keys: given.get("keys")?.split(",") ?? null,
    fhir: given.get("fhir") !== "no",
    fields: fieldsOf(given),
    sign: given.has("sign"),
  };
}

function decoded(value) {
  try {
    return decodeURIComponent(value);
  } catch {
    return "";
  }
}

/** The order fields that differ from the fixture's own. Free text is never among them. */
function fieldsOf(given) {
  const fields = {};
  for (const name of ["product", "reason", "stops", "needed", "supply", "replaces"]) if (given.has(name)) fields[name] = given.get(name);
  if (given.has("dose")) {
    const lines = given.get("dose").split(",").map((one) => LINE.exec(one)).filter((found) => found && found[2] in UNITS && found[3] in OFTEN);
    if (lines.length) fields.dose = lines.map(([, amount, unit, often, days]) => ({ amount: Number(amount), unit, often, days: days ? Number(days) : null }));
  }
  return fields;
}

export const doseWritten = (lines) => lines.map((one) => `${one.amount}_${one.unit}_${one.often || "1"}${one.days ? `_${one.days}` : ""}`).join(",");
