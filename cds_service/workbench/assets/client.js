/**
 * The CDS Client: discovery, prefetch, the hook call, feedback (CDS Hooks 2.0.1).
 *
 * An answer is {status, body, text, milliseconds}; status 0 when there was no answer at all.
 */

/** The root of the service: this page's own address without its last part. */
export const root = new URL(".", location.href.split("#")[0]).href;
export const fhirServer = `${root}workbench/fhir`;

async function ask(url, request) {
  const started = performance.now();
  try {
    const response = await fetch(url, request);
    const text = await response.text();
    const milliseconds = performance.now() - started;
    return { status: response.status, body: parsed(text), text, milliseconds };
  } catch {
    return { status: 0, body: null, text: "", milliseconds: performance.now() - started };
  }
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

export const get = (url) => ask(url, { headers: { accept: "application/json" } });

/** POST of a value, or of JSON text as it is. */
export function post(url, value) {
  const body = typeof value === "string" ? value : JSON.stringify(value);
  return ask(url, { method: "POST", headers: { "content-type": "application/json" }, body });
}

/** The entry of discovery for a service and a hook; null when it is not there. */
export async function discover(services, id, hook) {
  const answer = await get(root + services);
  const listed = answer.body?.services ?? [];
  return { answer, service: listed.find((one) => one.id === id && one.hook === hook) ?? null };
}

/**
 * Prefetch templates filled for one patient: key → what the FHIR server answered. A key whose read fails is left out, as
 * the specification has it. `held`: resources that were brought, searched instead of the FHIR server's.
 */
export async function prefetch(templates, patientId, keys, held = null) {
  const queries = {};
  for (const [key, template] of Object.entries(templates)) {
    if (keys.has(key)) queries[key] = template.replaceAll("{{context.patientId}}", patientId);
  }
  if (held) return (await post(`${root}workbench/prefetch`, { resources: held, queries })).body ?? {};
  const answers = await Promise.all(Object.entries(queries).map(async ([key, query]) => [key, await get(`${fhirServer}/${query}`)]));
  return Object.fromEntries(answers.filter(([, answer]) => answer.status === 200).map(([key, answer]) => [key, answer.body]));
}

/** What became of a card, posted to the service's feedback address. */
export function sendFeedback(service, entry) {
  return post(`${service}/feedback`, { feedback: [{ ...entry, outcomeTimestamp: new Date().toISOString() }] });
}
