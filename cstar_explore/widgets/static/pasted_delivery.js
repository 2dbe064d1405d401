// A field for a pasted delivery, one for the signing secret, and the verdict. What the user types is in no trait: it leaves
// the page only as a message, when the user asks for the explanation.

import { element } from "./shared.js";

function render({ model, el }) {
  const id = `cx-paste-${Math.random().toString(36).slice(2)}`;
  el.classList.add("cx-paste");
  const text = element("textarea", { id: `${id}-text`, rows: 8, spellcheck: false, autocomplete: "off", placeholder: "A curl command, a raw HTTP request, HAR or another export" });
  const secret = element("input", { id: `${id}-secret`, type: "password", autocomplete: "new-password", spellcheck: false });
  const button = element("button", { type: "button", className: "cx-primary", textContent: "Explain" });
  const message = element("div", { id: `${id}-message` });
  const banner = element("div", { className: "cx-banner-box" });
  message.setAttribute("aria-live", "polite");
  banner.setAttribute("role", "status");
  text.setAttribute("aria-describedby", message.id);
  const fields = element(
    "fieldset",
    { className: "cx-plain" },
    element("label", { htmlFor: text.id, textContent: "Delivery, as copied from a log or a tool" }),
    text,
    element("label", { htmlFor: secret.id, textContent: "Signing secret" }),
    secret,
    element("div", { className: "cx-row-line" }, button, element("span", { className: "cx-muted", textContent: "Ctrl+Enter. Neither is stored." })),
  );
  el.append(element("h4", { textContent: "Explain a delivery" }), fields, message, banner);

  const explain = () => {
    if (!button.disabled) model.send({ event: "explain", text: text.value, secret: secret.value });
  };
  button.addEventListener("click", explain);
  el.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    event.stopPropagation(); // in JupyterLab, it runs the cell
    explain();
  });

  const draw = () => {
    const [tone, headline, ...lines] = model.get("content").banner;
    button.disabled = model.get("content").busy;
    message.className = "cx-message cx-failed";
    message.textContent = model.get("content").error;
    text.setAttribute("aria-invalid", String(model.get("content").error !== ""));
    banner.replaceChildren(
      ...(headline ? [element("div", { className: `cx-banner cx-${tone}` }, element("strong", { textContent: headline }), ...lines.map((line) => element("p", { textContent: line })))] : []),
    );
  };
  model.on("change", draw);
  draw();
}

export default { render };
