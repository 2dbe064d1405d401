// The details of a webhook: its events, who else receives them, its age, and its last deliveries.

import { element } from "./shared.js";

const VERDICTS = { verified: "cx-good", "not verified": "" };

function render({ model, el }) {
  el.classList.add("cx-details");
  const section = (title, ...content) => [element("h5", { textContent: title }), ...content];
  const list = (lines) => element("ul", { className: "cx-list" }, ...lines.map((textContent) => element("li", { textContent })));
  const chips = (names) => element("div", { className: "cx-chips" }, ...names.map((textContent) => element("span", { className: "cx-chip", textContent })));
  const deliveries = (rows) => {
    const all = element("button", { type: "button", className: "cx-small", textContent: "All deliveries" });
    all.addEventListener("click", () => model.send({ event: "deliveries" }));
    if (rows.length === 0) return [element("p", { className: "cx-note", textContent: "The listener has received none." })];
    const cell = (textContent, className = "") => element("td", { textContent, className });
    const lines = rows.map(([time, event, verdict, answered]) => element("tr", {}, cell(time), cell(event, "cx-mono"), cell(verdict.replaceAll("_", " "), VERDICTS[verdict] ?? "cx-bad"), cell(answered)));
    return [element("table", { className: "cx-table cx-rows" }, element("tbody", {}, ...lines)), all];
  };
  const draw = () => {
    el.replaceChildren(
      ...section("Events", chips(model.get("content").events)),
      ...section("Who else receives them", list(model.get("content").receivers)),
      ...section("Age", list(model.get("content").times)),
      ...(model.get("content").listening ? section("Last deliveries", ...deliveries(model.get("content").deliveries)) : []),
    );
  };
  model.on("change", draw);
  draw();
}

export default { render };
