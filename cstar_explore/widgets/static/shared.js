// What several scripts need. The packed module holds it once, before the scripts.

export function element(tag, properties = {}, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
}

export const option = (value, textContent) => element("option", { value, textContent });

export function labelled(text, control) {
  control.id = `cx-filter-${Math.random().toString(36).slice(2)}`;
  return element("div", {}, element("label", { htmlFor: control.id, textContent: text }), control);
}

// Keeps plain keys in a view from JupyterLab: "dd" on a focused button must not delete the cell. JupyterLab looks for this
// attribute on the event's target. Shortcuts with Ctrl, ⌘ or Alt still reach it. Returns a function that ends it.
export function suppressShortcuts(el) {
  const suppress = (event) => {
    if (el.closest(".cx-form, .cx-explorer, .cx-arrivals")?.contains(event.target)) {
      event.target.toggleAttribute("data-lm-suppress-shortcuts", !(event.ctrlKey || event.metaKey || event.altKey));
    }
  };
  window.addEventListener("keydown", suppress, true);
  return () => window.removeEventListener("keydown", suppress, true);
}

// A function that sends the kernel a question and returns a promise of the answer. A nonce keeps it from other views of the model.
export function questions(model) {
  const pending = new Map();
  model.on("msg:custom", ({ nonce, value }) => {
    pending.get(nonce)?.(value);
    pending.delete(nonce);
  });
  return (what) =>
    new Promise((resolve) => {
      const nonce = crypto.getRandomValues(new Uint32Array(4)).join("-");
      pending.set(nonce, resolve);
      model.send({ event: "ask", what, nonce });
    });
}

// Copies a text, or the text that a promise resolves to: so the click still permits copying when the kernel answers.
export async function copy(text) {
  if (typeof text === "string") return navigator.clipboard.writeText(text);
  const blob = text.then((value) => new Blob([value], { type: "text/plain" }));
  return navigator.clipboard.write([new ClipboardItem({ "text/plain": blob })]);
}

// A small button that copies, and says so for two seconds. Without the permission, calls `refused`.
export function copyButton(label, text, refused = () => {}, name = label) {
  const button = element("button", { type: "button", className: "cx-small", textContent: label });
  button.setAttribute("aria-label", name);
  button.addEventListener("click", async () => {
    const copied = text();
    try {
      await copy(copied);
      button.textContent = "Copied";
    } catch {
      button.textContent = "Not copied";
      refused(await copied, button);
    }
    setTimeout(() => (button.textContent = label), 2000);
  });
  return button;
}
