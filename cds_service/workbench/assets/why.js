/** Behind the answer: rules, facts, request, response, feedback. The data are those of `baclofen-cds explain --json`. */

import { byId, copyButton, download, element } from "./elements.js";

const KINDS = [
  ["Finding", "Fired", "fired"],
  ["CannotAssess", "Cannot assess", "unknown"],
  ["NotIndicated", "Not indicated", "silent"],
];

export function showTabs() {
  const tabs = [...byId("tabs").querySelectorAll("[role=tab]")];
  const choose = (tab) => {
    for (const one of tabs) {
      const chosen = one === tab;
      one.setAttribute("aria-selected", chosen);
      one.tabIndex = chosen ? 0 : -1;
      byId(one.getAttribute("aria-controls")).hidden = !chosen;
    }
  };
  tabs.forEach((tab, n) => {
    tab.addEventListener("click", () => choose(tab));
    tab.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      const next = tabs[(n + step + tabs.length) % tabs.length];
      choose(next);
      next.focus();
    });
  });
}

/** `answer` of the explain address; `titles` rule → what it is about. */
export function showWhy(answer, titles) {
  const tree = answer.status === 200 ? answer.body : null;
  byId("panel-rules").replaceChildren(...(tree ? rules(tree, titles) : [none(answer)]));
  byId("panel-facts").replaceChildren(...(tree ? facts(tree) : [none(answer)]));
}

const none = (answer) => element("p", { class: "none" }, answer.status === 0 ? "The service did not answer." : "There is no explanation of a call that was refused.");

function rules(tree, titles) {
  if (!tree.outcomes.length) return [element("p", { class: "none" }, "No draft of this call can be baclofen: no rule was asked.")];
  const says = tree.words.rules;
  const rows = tree.outcomes.map((one, n) => ({ ...one, says: says[n].says }));
  const dropped = Object.fromEntries(tree.dropped.map((one) => [one.rule, one.why]));
  const counts = KINDS.map(([kind, word]) => `${rows.filter((one) => one.outcome === kind).length} ${word.toLowerCase()}`);
  const sections = KINDS.map(([kind, word, style]) => {
    const own = rows.filter((one) => one.outcome === kind);
    if (!own.length) return null;
    const table = element("table", { class: "rules" },
      element("thead", {}, element("tr", {}, element("th", { scope: "col" }, "Rule"), element("th", { scope: "col" }, kind === "Finding" ? "Urgency and numbers" : "Why"))),
      element("tbody", {}, ...own.map((one) => element("tr", {},
        element("th", { scope: "row" }, titles[one.rule] ?? one.rule, element("code", {}, one.rule)),
        element("td", {}, kind === "Finding" ? numbers(one) : one.says, dropped[one.rule] ? element("p", { class: "merged" }, dropped[one.rule]) : null)))));
    const heading = `${word} (${own.length})`;
    return kind === "NotIndicated"
      ? element("details", { class: `group ${style}` }, element("summary", {}, heading), table)
      : element("section", { class: `group ${style}` }, element("h3", {}, heading), table);
  });
  return [element("p", { class: "small" }, `${rows.length} rules were asked: ${counts.join(", ")}.`), ...sections.filter(Boolean)];
}

/** The urgency, and each number and threshold that the rule used. */
function numbers(finding) {
  const shown = Object.entries(finding.values).filter(([, value]) => value !== "" && !(Array.isArray(value) && !value.length));
  return element("div", {}, element("span", { class: `level ${finding.indicator}` }, finding.indicator),
    shown.length ? element("dl", { class: "numbers" }, ...shown.map(([name, value]) => element("div", {}, element("dt", {}, name.replaceAll("_", " ")), element("dd", {}, inWords(value))))) : null);
}

function inWords(value) {
  if (value === null) return "unknown";
  if (Array.isArray(value)) return value.map(inWords).join(", ");
  if (typeof value === "object") return "unit" in value ? `${value.value} ${value.unit}` : Object.values(value).map(inWords).join(" ");
  return String(value);
}

function facts(tree) {
  if (!tree.words) return [element("p", { class: "none" }, "Nothing was read.")];
  const table = element("table", { class: "facts" },
    element("thead", {}, element("tr", {}, element("th", { scope: "col" }, "Fact"), element("th", { scope: "col" }, "Value"), element("th", { scope: "col" }, "From"))),
    element("tbody", {}, ...tree.words.facts.map((one) => element("tr", {},
      element("th", { scope: "row" }, one.fact), element("td", {}, one.value), element("td", { class: "from" }, one.from || "–")))));
  const cases = tree.words.cases.map((lines) => element("ul", {}, ...lines.map((line) => element("li", {}, line))));
  return [
    element("h3", {}, "What the order is"), ...cases,
    element("h3", {}, "Facts, and the resource that each came from"), table,
    element("h3", {}, "Records"), element("ul", {}, ...tree.words.records.map((line) => element("li", {}, line))),
    element("p", { class: "small" }, `Judged at ${tree.words.at}.`),
  ];
}

export function showRequest(url, request) {
  const text = JSON.stringify(request, null, 2);
  const curl = `curl -sS -H 'Content-Type: application/json' --data @request.json ${url}`;
  byId("panel-request").replaceChildren(
    element("p", { class: "small" }, `POST ${url}, ${Math.ceil(JSON.stringify(request).length / 1024)} kB`),
    element("div", { class: "row tools" }, copyButton("Copy JSON", () => text), downloadButton("request.json", text), copyButton("Copy curl line", () => curl)),
    element("pre", { class: "curl", tabindex: "0" }, curl),
    element("pre", { tabindex: "0" }, text));
}

export function showResponse(answer) {
  const text = answer.body ? JSON.stringify(answer.body, null, 2) : answer.text;
  byId("panel-response").replaceChildren(
    element("p", { class: "small" }, answer.status ? `HTTP ${answer.status}, ${Math.ceil(answer.text.length / 1024)} kB, ${answer.milliseconds.toFixed(0)} ms in this browser` : "No answer."),
    answer.status ? element("div", { class: "row tools" }, copyButton("Copy JSON", () => text), downloadButton("response.json", text)) : "",
    answer.status ? element("pre", { tabindex: "0" }, text) : "");
}

function downloadButton(name, text) {
  return element("button", { type: "button", class: "quiet", on: { click: () => download(name, text) } }, "Download");
}

export function showFeedback(sent) {
  const entries = sent.map(({ entry, answer }) => element("li", {},
    element("p", {}, `${entry.outcome}: ${answer.status === 200 ? "taken" : answer.status === 0 ? "no answer" : `refused with ${answer.status}`}, ${answer.milliseconds.toFixed(0)} ms`),
    element("pre", { tabindex: "0" }, JSON.stringify({ feedback: [entry] }, null, 2))));
  byId("panel-feedback").replaceChildren(entries.length
    ? element("ol", {}, ...entries)
    : element("p", { class: "none" }, "Accept a suggestion or dismiss a card: what this page posts to the feedback address appears here."));
  byId("tab-feedback").textContent = entries.length ? `Feedback (${entries.length})` : "Feedback";
}
