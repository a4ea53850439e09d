/** The page's elements: found by id, and made from words. Text is always set as text. */

export const byId = (id) => document.getElementById(id);

/** `element("a", { href }, "words", other)`; a property of null or false is left out, `class` and `on` are as they say. */
export function element(name, properties = {}, ...children) {
  const made = document.createElement(name);
  for (const [property, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (property === "on") for (const [event, listen] of Object.entries(value)) made.addEventListener(event, listen);
    else made.setAttribute(property, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

/** HTML that this server made from a template, or from Markdown with HTML off: parsed without running anything. */
export function fromServer(html) {
  const parsed = new DOMParser().parseFromString(html, "text/html");
  return [...parsed.body.childNodes].map((node) => document.importNode(node, true));
}

/** A button that says for a moment that it was done. */
export function copyButton(label, text) {
  const button = element("button", { type: "button", class: "quiet" }, label);
  button.addEventListener("click", () => copy(button, text()));
  return button;
}

export async function copy(button, text) {
  const label = button.dataset.label ?? (button.dataset.label = button.textContent);
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
  } catch {
    button.textContent = "The browser does not allow copying";
  }
  setTimeout(() => { button.textContent = label; }, 2000);
}

export function download(name, text) {
  const url = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  element("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
