// A signing secret, masked until it is revealed. The page asks for it with a nonce and the kernel replies with a message.
// The value is never in the widget's state, so no notebook, checkpoint or export contains it. Hiding it removes it.

import { copy, element, questions } from "./shared.js";

function render({ model, el }) {
  const frame = element("div", { className: "cx-secret" });
  const row = element("div", {});
  const label = element("label", { className: "cx-label", textContent: "Signing secret" });
  const output = element("input", { type: "text", readOnly: true, id: `cx-secret-${Math.random().toString(36).slice(2)}` });
  const reveal = element("button", { type: "button" });
  const copyIt = element("button", { type: "button", textContent: "Copy" });
  const message = element("div", { className: "cx-message" });
  label.htmlFor = output.id;
  output.autocomplete = "off";
  message.setAttribute("aria-live", "polite");
  row.append(output, reveal, copyIt);
  frame.append(label, row, message);
  el.append(frame);

  const ask = questions(model);

  let revealed = false;
  const draw = (value = model.get("content").mask) => {
    output.value = value;
    reveal.textContent = revealed ? "Hide" : "Reveal";
  };
  const show = async () => {
    revealed = true;
    draw(await ask());
  };
  reveal.addEventListener("click", () => {
    message.textContent = model.get("content").note;
    if (!revealed) return show();
    revealed = false;
    draw();
  });
  copyIt.addEventListener("click", async () => {
    try {
      await copy(ask());
      message.textContent = "Copied.";
    } catch {
      if (!revealed) await show();
      output.focus();
      output.select();
      message.textContent = "The browser does not allow copying here. The secret is selected: press Ctrl+C or ⌘C.";
    }
  });
  message.textContent = model.get("content").note;
  draw();
}

export default { render };
