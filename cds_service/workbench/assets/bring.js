/** What a tester brings: a CDS Hooks request, a captured one, or a FHIR Bundle of one patient. */

import { byId } from "./elements.js";

const LARGEST = 8 << 20;

/** {kind: "request" | "bundle", value}, or {error} in words; what was pasted is never repeated. */
export function understood(text) {
  if (!text.trim()) return { error: "There is nothing to read yet: paste JSON, or choose a file." };
  if (text.length > LARGEST) return { error: "That is more than 8 MB: bring one patient, or one request." };
  let value;
  try {
    value = JSON.parse(text);
  } catch (problem) {
    const where = /line (\d+) column (\d+)/.exec(problem.message);
    return { error: `This is not JSON${where ? `: it breaks off or goes wrong at line ${where[1]}, column ${where[2]}` : ""}.` };
  }
  const request = value?.hook ? value : value?.body?.hook ? value.body : null;
  if (request) {
    if (typeof request.context !== "object" || !request.context?.patientId) return { error: "This is a hook request without context.patientId: no patient, nothing to check." };
    return { kind: "request", value: request };
  }
  if (value?.resourceType === "Bundle") return { kind: "bundle", value };
  if (value?.resourceType) return { error: `This is one FHIR resource (${String(value.resourceType).replace(/[^A-Za-z]/g, "").slice(0, 40)}), not a Bundle. Put the patient’s resources into a Bundle.` };
  return { error: "This is JSON, but neither a CDS Hooks request (it has no hook) nor a FHIR Bundle (it has no resourceType)." };
}

/** Wires the dialog and dropping on the page. `use` gets what was understood, and returns an error in words or "". */
export function openBringing(use) {
  const dialog = byId("own");
  const show = (error) => { byId("own-error").hidden = !error; byId("own-error").textContent = error; };
  const take = async (text) => {
    const found = understood(text);
    const error = found.error ?? await use(found);
    show(error);
    if (!error) dialog.close();
    else if (!dialog.open) dialog.showModal();
  };
  byId("bring").addEventListener("click", () => { show(""); dialog.showModal(); });
  byId("own-cancel").addEventListener("click", () => dialog.close());
  byId("own-form").addEventListener("submit", (event) => { event.preventDefault(); take(byId("own-text").value); });
  byId("own-file").addEventListener("change", async (event) => {
    const [file] = event.target.files;
    if (!file) return;
    byId("own-text").value = file.size > LARGEST ? "" : await file.text();
    event.target.value = "";
    take(byId("own-text").value);
  });
  document.addEventListener("dragover", (event) => event.preventDefault());
  document.addEventListener("drop", async (event) => {
    event.preventDefault();
    const file = event.dataTransfer?.files?.[0];
    const text = file ? await file.text() : event.dataTransfer?.getData("text") ?? "";
    byId("own-text").value = text;
    if (text) take(text);
  });
}
