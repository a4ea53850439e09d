/**
 * A draft MedicationRequest as the fields of an order form, and back.
 *
 * The resource is the truth: each setter returns a copy in which only what the field says has changed.
 */

const RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm";
const RXNORM_OID = "urn:oid:2.16.840.1.113883.6.88";
const ICD10CM = "http://hl7.org/fhir/sid/icd-10-cm";
const UCUM = "http://unitsofmeasure.org";
const ORAL = { coding: [{ system: "http://snomed.info/sct", code: "26643006", display: "Oral route" }], text: "oral" };
const INTRATHECAL = { coding: [{ system: "http://snomed.info/sct", code: "72607000", display: "Intrathecal route" }], text: "intrathecal" };

export const UNITS = { mg: "mg", tablet: "tablet(s)", mL: "mL", "ug/day": "µg/day by pump", words: "in words" };
const QUANTITIES = {
  mg: { unit: "mg", system: UCUM, code: "mg" },
  tablet: { unit: "tablet", system: UCUM, code: "{tbl}" },
  mL: { unit: "mL", system: UCUM, code: "mL" },
};
const IN_TABLETS = /^\{?(tbl|tablet|tablets|tab|pill)s?\}?$/i;

/** How often → timing.repeat. */
export const OFTEN = {
  1: ["once daily", { frequency: 1, period: 1, periodUnit: "d" }],
  2: ["twice daily", { frequency: 2, period: 1, periodUnit: "d" }],
  3: ["three times daily", { frequency: 3, period: 1, periodUnit: "d" }],
  4: ["four times daily", { frequency: 4, period: 1, periodUnit: "d" }],
  q6h: ["every 6 hours", { frequency: 1, period: 6, periodUnit: "h" }],
  MORN: ["in the morning", { frequency: 1, period: 1, periodUnit: "d", when: ["MORN"] }],
  AFT: ["in the afternoon", { frequency: 1, period: 1, periodUnit: "d", when: ["AFT"] }],
  EVE: ["in the evening", { frequency: 1, period: 1, periodUnit: "d", when: ["EVE"] }],
  NIGHT: ["at night", { frequency: 1, period: 1, periodUnit: "d", when: ["NIGHT"] }],
};
const TIMES = { 1: 1, 2: 2, 3: 3, 4: 4, q6h: 4, MORN: 1, AFT: 1, EVE: 1, NIGHT: 1 };
const STOPPED = ["stopped", "cancelled", "completed", "ended"];

export const reference = (resource) => `${resource.resourceType}/${resource.id}`;
const list = (value) => (Array.isArray(value) ? value : value ? [value] : []);
const copyOf = (value) => structuredClone(value);

// ------------------------------------------------------------------------------------------------------------ reading

export function label(resource, beside = []) {
  const medication = beside.find((one) => one.resourceType === "Medication" && resource.medicationReference?.reference?.endsWith(`/${one.id}`));
  const concept = resource.medicationCodeableConcept ?? medication?.code ?? resource.code ?? {};
  return concept.text ?? concept.coding?.[0]?.display ?? resource.medicationReference?.display ?? resource.resourceType;
}

/** The RxNorm code of the ordered product; empty when it has none that the form knows. */
export function product(resource, beside, known) {
  const medication = beside.find((one) => one.resourceType === "Medication" && resource.medicationReference?.reference?.endsWith(`/${one.id}`));
  const codings = list((resource.medicationCodeableConcept ?? medication?.code)?.coding);
  return codings.find((one) => [RXNORM, RXNORM_OID].includes(one.system) && known.has(one.code))?.code ?? "";
}

/** One dosage instruction as {amount, unit, often, days, words, sequence}. */
export function line(instruction) {
  const repeat = instruction.timing?.repeat ?? {};
  const often = Object.keys(OFTEN).find((key) => same(OFTEN[key][1], repeat)) ?? "";
  const days = repeat.boundsDuration?.code === "d" ? repeat.boundsDuration.value : null;
  const common = { often, days, sequence: instruction.sequence ?? null, words: instruction.text ?? "" };
  const doses = list(instruction.doseAndRate);
  const rate = doses.find((one) => one.rateRatio)?.rateRatio;
  if (rate?.numerator?.code === "ug" && rate.denominator?.code === "d") return { ...common, amount: rate.numerator.value, unit: "ug/day" };
  const ordered = doses.find((one) => one.type?.coding?.some((coding) => coding.code === "ordered")) ?? doses[0];
  const quantity = ordered?.doseQuantity ?? instruction.doseQuantity;
  const unit = unitOf(quantity);
  if (!unit || !often || typeof quantity.value !== "number") return { ...common, amount: null, unit: "words" };
  return { ...common, amount: quantity.value, unit };
}

function unitOf(quantity) {
  const said = quantity?.code ?? quantity?.unit ?? "";
  if (said === "mg" || said === "mL") return said;
  return IN_TABLETS.test(said) || IN_TABLETS.test(quantity?.unit ?? "") ? "tablet" : "";
}

function same(wanted, repeat) {
  const when = repeat.when?.[0] === "HS" ? "NIGHT" : repeat.when?.[0];
  return wanted.frequency === (repeat.frequency ?? 1) && wanted.period === repeat.period
    && wanted.periodUnit === (repeat.periodUnit ?? repeat.periodUnits) && wanted.when?.[0] === when;
}

export const lines = (resource) => list(resource.dosageInstruction).map(line);
export const stops = (resource) => STOPPED.includes(resource.status) || resource.doNotPerform === true;
export const needed = (resource) => list(resource.dosageInstruction).some((one) => one.asNeededBoolean === true || one.asNeededCodeableConcept);
export const supply = (resource) => resource.dispenseRequest?.expectedSupplyDuration?.value ?? null;
export const replaces = (resource) => resource.priorPrescription?.reference ?? "";
export const reason = (resource) => list(resource.reasonCode)[0]?.coding?.[0]?.code ?? "";
export const reasonLabel = (resource) => list(resource.reasonCode)[0]?.text ?? list(resource.reasonCode)[0]?.coding?.[0]?.display ?? "";

/** Dose by dose, or step by step where instructions share a sequence: one line of words for each. */
export function steps(resource) {
  const all = lines(resource);
  if (all.length < 2 || all.some((one) => !one.sequence)) return all.map(sig);
  const bySequence = grouped(all);
  return [...bySequence].map(([sequence, own]) => {
    const lasts = own.every((one) => one.days === own[0].days) ? own[0].days : null;
    const doses = own.map((one) => sig(lasts ? { ...one, days: null } : one)).join(" + ");
    return `${sequence}. ${doses}${lasts ? `, ${lasts} days` : ""}`;
  });
}

function grouped(all) {
  const found = new Map();
  for (const one of all) found.set(one.sequence, [...(found.get(one.sequence) ?? []), one]);
  return found;
}

/** "10 mg three times daily for 7 days". */
export function sig(one) {
  if (one.unit === "words") return one.words || "no dose";
  const amount = one.unit === "ug/day" ? `${one.amount} µg/day` : `${one.amount} ${one.unit}${one.unit === "tablet" && one.amount > 1 ? "s" : ""}`;
  const often = one.unit === "ug/day" ? "" : ` ${OFTEN[one.often]?.[0] ?? ""}`;
  return `${amount}${often}${one.days ? ` for ${one.days} days` : ""}`;
}

/** Milligrams a day of the first step, or null: for the eye, never sent. */
export function daily(resource, mgPerUnit) {
  const all = lines(resource);
  const first = all.filter((one) => one.sequence === all[0].sequence);
  const amounts = first.map((one) => {
    const mg = { mg: 1, tablet: mgPerUnit?.unit, mL: mgPerUnit?.ml }[one.unit];
    return mg ? one.amount * mg * TIMES[one.often] : NaN;
  });
  const sum = amounts.reduce((total, amount) => total + amount, 0);
  return all.length && Number.isFinite(sum) ? Math.round(sum * 100) / 100 : null;
}

// ------------------------------------------------------------------------------------------------------------ writing

function changed(resource, change) {
  const copy = copyOf(resource);
  change(copy);
  return copy;
}

/** A quantity to dispense belongs to the dose that it was written for. */
const forgetQuantity = (copy) => { if (copy.dispenseRequest) delete copy.dispenseRequest.quantity; };

export const withProduct = (resource, { code, display, route }) => changed(resource, (copy) => {
  delete copy.medicationReference;
  copy.medicationCodeableConcept = { coding: [{ system: RXNORM, code, display }], text: display };
  for (const one of list(copy.dosageInstruction)) one.route = route === "intrathecal" ? INTRATHECAL : ORAL;
  forgetQuantity(copy);
});

export const withLine = (resource, index, values) => changed(resource, (copy) => {
  copy.dosageInstruction = list(copy.dosageInstruction);
  copy.dosageInstruction[index] = written(copy.dosageInstruction[index] ?? {}, values);
  forgetQuantity(copy);
});

export const withoutLine = (resource, index) => changed(resource, (copy) => {
  copy.dosageInstruction.splice(index, 1);
  forgetQuantity(copy);
});

/** A step that follows the last one; steps are told by their sequence. */
export const withNextLine = (resource) => changed(resource, (copy) => {
  const all = (copy.dosageInstruction = list(copy.dosageInstruction));
  const last = all.at(-1);
  all.forEach((one) => { one.sequence ??= 1; });
  const next = last ? copyOf(last) : written({}, { amount: 5, unit: "mg", often: "3" });
  if (last) next.sequence = last.sequence + 1;
  all.push(next);
});

function written(old, { amount, unit, often, days, words }) {
  const next = copyOf(old);
  if (unit === "words") {
    delete next.doseAndRate;
    delete next.timing;
    next.text = words;
    return next;
  }
  if (unit === "ug/day") {
    const per = { numerator: { value: amount, unit: "ug", system: UCUM, code: "ug" }, denominator: { value: 1, unit: "d", system: UCUM, code: "d" } };
    delete next.timing;
    return { ...next, text: `${amount} micrograms a day by pump`, route: INTRATHECAL, doseAndRate: [{ rateRatio: per }] };
  }
  const bounds = days ? { boundsDuration: { value: days, unit: "days", system: UCUM, code: "d" } } : {};
  const route = old.route?.text === "intrathecal" || !old.route ? ORAL : old.route;
  const value = { value: amount, ...QUANTITIES[unit] };
  const text = `${amount} ${QUANTITIES[unit].unit}${unit === "tablet" && amount > 1 ? "s" : ""} by mouth ${OFTEN[often][0]}${days ? ` for ${days} days` : ""}`;
  delete next.doseQuantity;
  return { ...next, text, timing: { repeat: { ...bounds, ...OFTEN[often][1] } }, route, doseAndRate: [{ doseQuantity: value }] };
}

export const withNeeded = (resource, yes) => changed(resource, (copy) => {
  for (const one of list(copy.dosageInstruction)) {
    delete one.asNeededCodeableConcept;
    if (yes) one.asNeededBoolean = true;
    else delete one.asNeededBoolean;
  }
});

export const withSupply = (resource, days) => changed(resource, (copy) => {
  copy.dispenseRequest ??= {};
  forgetQuantity(copy);
  if (days) copy.dispenseRequest.expectedSupplyDuration = { value: days, unit: "days", system: UCUM, code: "d" };
  else delete copy.dispenseRequest.expectedSupplyDuration;
  if (!Object.keys(copy.dispenseRequest).length) delete copy.dispenseRequest;
});

export const withReason = (resource, code, display) => changed(resource, (copy) => {
  if (code) copy.reasonCode = [{ coding: [{ system: ICD10CM, code, display }], text: display }];
  else delete copy.reasonCode;
});

export const withReplaces = (resource, prior) => changed(resource, (copy) => {
  if (prior) copy.priorPrescription = { reference: prior };
  else delete copy.priorPrescription;
});

export const withStops = (resource, yes) => changed(resource, (copy) => {
  delete copy.doNotPerform;
  delete copy.statusReason;
  copy.status = yes ? "stopped" : "draft";
});

export function blank(patientId, today) {
  const order = {
    resourceType: "MedicationRequest", id: "order", status: "draft", intent: "order",
    subject: { reference: `Patient/${patientId}` }, authoredOn: today, dosageInstruction: [],
  };
  return withLine(withProduct(order, { code: "430902", display: "baclofen 5 MG Oral Tablet", route: "oral" }), 0, { amount: 5, unit: "mg", often: "3" });
}
