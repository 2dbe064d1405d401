// A text that is folded until the user opens it.

import { element } from "./shared.js";

function render({ model, el }) {
  el.classList.add("cx-text", "cx-folded");
  const details = element("details");
  const summary = element("summary");
  const note = element("p", { className: "cx-note" });
  const text = element("pre", { className: "cx-part", tabIndex: 0 });
  text.setAttribute("role", "region");
  details.append(summary, note, text);
  el.append(details);
  const draw = () => {
    el.classList.toggle("cx-hidden", !model.get("content").text);
    summary.textContent = model.get("content").summary;
    text.setAttribute("aria-label", model.get("content").summary);
    note.textContent = model.get("content").note;
    text.textContent = model.get("content").text;
  };
  model.on("change", draw);
  draw();
}

export default { render };
