/** What a suggestion changed: for the eye by the fields of an order, and exactly by the paths of the resource. */

import { element } from "./elements.js";
import { label, reasonLabel, replaces, steps, supply } from "./order.js";

/** The fields of an order in words; a field that says nothing is empty. */
function fields(resource, beside) {
  if (!resource) return {};
  return {
    Order: label(resource, beside),
    Status: resource.status ?? "",
    Dose: steps(resource).join("\n"),
    "Supply, days": supply(resource)?.toString() ?? "",
    Replaces: replaces(resource),
    Reason: reasonLabel(resource),
  };
}

/** Field by field: [name, before, after] of what differs. */
export function differences(before, after, beside) {
  const [old, next] = [fields(before, beside), fields(after, beside)];
  return Object.keys({ ...old, ...next }).filter((name) => (old[name] ?? "") !== (next[name] ?? ""))
    .map((name) => [name, old[name] ?? "", next[name] ?? ""]);
}

/** Path by path: [path, before, after]. */
export function paths(before, after, at = "") {
  if (JSON.stringify(before) === JSON.stringify(after)) return [];
  const isTree = (value) => value !== null && typeof value === "object";
  if (!isTree(before) || !isTree(after) || Array.isArray(before) !== Array.isArray(after)) return [[at, before, after]];
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  const step = (name) => (Array.isArray(after) ? `${at}[${name}]` : at ? `${at}.${name}` : name);
  return names.flatMap((name) => paths(before[name], after[name], step(name)));
}

/** One row: what was is struck out, what is now is marked; both say so to a screen reader too. */
function row([name, before, after]) {
  const was = before === "" ? element("span", { class: "nothing" }, "–") : element("del", {}, before);
  const is = after === "" ? element("span", { class: "nothing" }, "–") : element("ins", {}, after);
  return element("tr", {}, element("th", { scope: "row" }, name), element("td", {}, was), element("td", {}, is));
}

const HEAD = { update: "Changed", create: "Added", delete: "Removed" };

/** One action that was carried out: {type, description, before, after, onChart}. */
export function shownAction({ type, description, before, after, onChart = false }, beside) {
  const changed = differences(before, after, beside);
  const exact = type === "update" ? paths(before, after) : [];
  const table = element("table", { class: "diff" },
    element("thead", {}, element("tr", {}, element("th", { scope: "col" }, "Field"), element("th", { scope: "col" }, "Before"), element("th", { scope: "col" }, "After"))),
    element("tbody", {}, ...changed.map(row)));
  const inJson = exact.length && element("details", {},
    element("summary", {}, `${exact.length} ${exact.length === 1 ? "path" : "paths"} of the resource`),
    element("table", { class: "diff exact" },
      element("thead", {}, element("tr", {}, element("th", { scope: "col" }, "Path"), element("th", { scope: "col" }, "Before"), element("th", { scope: "col" }, "After"))),
      element("tbody", {}, ...exact.map(([at, was, is]) => row([at, was === undefined ? "" : JSON.stringify(was), is === undefined ? "" : JSON.stringify(is)])))));
  return element("div", { class: `action ${type}` },
    element("p", {}, element("strong", {}, onChart ? "Changed on the chart" : HEAD[type]), ` ${label(after ?? before, beside)}`),
    changed.length ? table : null,
    inJson || null,
    description ? element("p", { class: "small" }, description) : null);
}
