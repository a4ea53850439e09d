/** The cards as an EHR shows them; and what is shown when the order was not checked, which never looks like "no card". */

import { element, fromServer } from "./elements.js";
import { post, root } from "./client.js";

const SYMBOLS = { critical: "M8 1 15 4.5v7L8 15 1 11.5v-7z", warning: "M8 1.5 15.5 14.5H.5z", info: "M8 1a7 7 0 1 1 0 14A7 7 0 0 1 8 1z" };
const MARKS = { critical: "!", warning: "!", info: "i" };

/** Octagon, triangle, circle: told apart without colour. */
function symbol(indicator) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("class", "symbol");
  svg.setAttribute("aria-hidden", "true");
  const shape = document.createElementNS(svg.namespaceURI, "path");
  shape.setAttribute("d", SYMBOLS[indicator] ?? SYMBOLS.info);
  const mark = document.createElementNS(svg.namespaceURI, "text");
  mark.setAttribute("x", "8");
  mark.setAttribute("y", indicator === "warning" ? "13" : "11.8");
  mark.setAttribute("text-anchor", "middle");
  mark.textContent = MARKS[indicator] ?? "i";
  svg.append(shape, mark);
  return svg;
}

/** `act.accept(card, suggestion)` and `act.dismiss(card, reason, comment)` return how the feedback was answered. */
export async function cardElements(cards, act) {
  const details = (await post(`${root}workbench/markdown`, { texts: cards.map((card) => card.detail ?? "") })).body?.html;
  return cards.map((card, n) => cardElement(card, details ? fromServer(details[n]) : [element("pre", {}, card.detail ?? "")], act));
}

function cardElement(card, detail, act) {
  const outcome = element("p", { class: "outcome", role: "status" });
  const indicator = ["critical", "warning", "info"].includes(card.indicator) ? card.indicator : "info";
  const heading = element("h3", {}, symbol(indicator), element("span", { class: "word" }, indicator), " ", card.summary);
  const made = element("article", { class: `card ${indicator}`, "data-topic": card.source?.topic?.code ?? "" },
    heading,
    card.suggestions?.length ? suggestions(card, act, outcome) : null,
    outcome,
    detail.length ? element("div", { class: "detail" }, ...detail) : null,
    footer(card),
    dismissal(card, act, outcome));
  return made;
}

function suggestions(card, act, outcome) {
  const buttons = card.suggestions.map((one) => {
    const button = element("button", { type: "button", class: "suggestion" }, one.label, actionsOf(one));
    button.addEventListener("click", async () => {
      buttons.forEach((other) => { other.disabled = other === button || card.selectionBehavior !== "any"; });
      button.classList.add("taken");
      outcome.textContent = `Accepted. ${await act.accept(card, one)}`;
    });
    return button;
  });
  const rule = card.selectionBehavior === "at-most-one" && buttons.length > 1 ? element("p", { class: "small" }, "These exclude each other.") : null;
  return element("div", { class: "suggestions", role: "group", "aria-label": "Suggestions" }, ...buttons, rule);
}

function actionsOf(suggestion) {
  const count = suggestion.actions?.length ?? 0;
  return count > 1 ? element("span", { class: "small" }, ` (${count} actions)`) : null;
}

function footer(card) {
  const source = card.source ?? {};
  const named = isLink(source.url) ? element("a", { href: source.url, target: "_blank", rel: "noopener noreferrer" }, source.label) : source.label;
  const links = (card.links ?? []).filter((link) => isLink(link.url)).map((link) =>
    element("li", {}, element("a", { href: link.url, target: "_blank", rel: "noopener noreferrer" }, link.label)));
  return element("footer", {},
    element("p", { class: "source" }, "Source: ", named ?? "not named", source.topic ? ` · ${source.topic.display ?? source.topic.code}` : ""),
    links.length ? element("ul", { class: "links", "aria-label": "Links" }, ...links) : null);
}

/** Never a link that would run something. */
const isLink = (url) => /^https?:\/\//.test(url ?? "");

function dismissal(card, act, outcome) {
  const reasons = card.overrideReasons ?? [];
  const choices = reasons.map((reason, n) => element("label", { class: "check" },
    element("input", { type: "radio", name: `reason-${card.uuid}`, value: n }), ` ${reason.display}`));
  const comment = element("input", { type: "text", maxlength: "200", "aria-label": "Comment" });
  const send = element("button", { type: "submit" }, "Dismiss card");
  const missing = element("p", { class: "alert", role: "alert", hidden: true }, "Choose a reason.");
  const form = element("form", {},
    element("fieldset", {}, element("legend", {}, "Why is this card not followed?"), ...choices),
    element("label", {}, "Comment (optional)", comment), missing, send);
  const folded = element("details", { class: "dismiss" }, element("summary", {}, "Dismiss…"), form);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const chosen = form.querySelector("input[type=radio]:checked");
    if (reasons.length && !chosen) {
      missing.hidden = false;
      return;
    }
    const reason = chosen ? reasons[Number(chosen.value)] : null;
    const article = folded.closest("article");
    folded.remove();
    article.classList.add("dismissed");
    outcome.textContent = `Dismissed: ${reason?.display ?? "no reason given"}. ${await act.dismiss(card, reason, comment.value)}`;
    outcome.tabIndex = -1;
    outcome.focus();
  });
  return folded;
}

// --------------------------------------------------------------------------------------------- no card, and no answer

export function noCard(hook) {
  const waits = hook === "order-select" ? " At order-select only warnings and criticals are shown; information waits for order-sign." : "";
  return element("div", { class: "panel clear" },
    element("p", {}, element("strong", {}, "Checked, and nothing to say."), ` The service answered with no card.${waits}`),
    element("p", { class: "small" }, "Below: what it read, and what every rule said."));
}

/** Whatever is not a list of cards: the order was NOT checked. */
export function notChecked(answer, what = "The service") {
  const issue = answer.body?.resourceType === "OperationOutcome" ? answer.body.issue?.[0] : null;
  const heading = answer.status === 0 ? `${what} did not answer.` : `${what} answered ${answer.status}.`;
  const problem = issue?.details?.text ?? (answer.status === 0 ? "It is not running, or cannot be reached from this browser." : "The answer is not a list of cards.");
  const cure = issue?.diagnostics ?? (answer.status === 0 ? "Start it again (make demo), then sign once more." : "");
  return element("div", { class: "panel failed", role: "alert" },
    element("h3", {}, symbol("critical"), element("span", { class: "word" }, "Not checked"), ` ${heading}`),
    element("p", {}, problem), cure ? element("p", { class: "cure" }, cure) : null,
    element("p", { class: "small" }, "This order has not been checked. No card does not mean that it is safe."));
}
