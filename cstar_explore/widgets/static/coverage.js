// The published event types: a bar with the number of receivers, and their names on opening.

import { element } from "./shared.js";

const FILTERS = {
  All: () => true,
  "No receiver": (count) => count === 0,
  "More than one": (count) => count > 1,
};

function render({ model, el }) {
  el.classList.add("cx-coverage-box");
  const summary = element("summary");
  const filters = element("div", { className: "cx-tools" });
  filters.setAttribute("role", "group");
  filters.setAttribute("aria-label", "Event types to show");
  const table = element("table", { className: "cx-table cx-coverage" });
  const scroll = element("div", { className: "cx-scroll", tabIndex: 0 }, table);
  scroll.setAttribute("role", "region");
  scroll.setAttribute("aria-label", "Coverage by event type");
  el.append(element("details", {}, summary, filters, scroll));
  let filter = "All";

  const buttons = Object.fromEntries(
    Object.keys(FILTERS).map((name) => {
      const button = element("button", { type: "button" });
      button.addEventListener("click", () => {
        filter = name;
        draw();
      });
      return [name, button];
    }),
  );
  filters.append(...Object.values(buttons));

  const receivers = (count, indices) => {
    const names = indices.map((index) => model.get("content").names[index]);
    if (count > names.length) names.push(`and ${(count - names.length).toLocaleString("en")} more`);
    if (count < 2) return names[0] ?? "";
    const list = element("ul", { className: "cx-list" }, ...names.map((textContent) => element("li", { textContent })));
    return element("details", {}, element("summary", { textContent: "Names" }), list);
  };
  const line = (highest) => ([event, count, indices]) => {
    const bar = element("span", { className: "cx-bar" });
    bar.style.width = `${(100 * count) / highest}%`;
    const number = element("span", { textContent: count ? count.toLocaleString("en") : "none", className: count ? "" : "cx-bad" });
    return element(
      "tr",
      {},
      element("td", { className: "cx-mono", textContent: event }),
      element("td", {}, element("div", { className: "cx-count" }, number, element("span", { className: "cx-track" }, bar))),
      element("td", {}, receivers(count, indices)),
    );
  };
  const draw = () => {
    const rows = model.get("content").rows;
    const count = (name) => rows.filter(([, receivers]) => FILTERS[name](receivers)).length;
    summary.textContent = `Coverage of ${rows.length} event types: ${count("No receiver")} without a receiver, ${count("More than one")} with several`;
    Object.entries(buttons).forEach(([name, button]) => {
      button.textContent = `${name} (${count(name)})`;
      button.setAttribute("aria-pressed", String(name === filter));
    });
    const heads = ["Event", "Receivers", "Webhooks"].map((textContent) => element("th", { scope: "col", textContent }));
    const highest = Math.max(1, ...rows.map(([, receivers]) => receivers));
    const shown = rows.filter(([, receivers]) => FILTERS[filter](receivers));
    table.replaceChildren(element("thead", {}, element("tr", {}, ...heads)), element("tbody", {}, ...shown.map(line(highest))));
  };
  model.on("change", draw);
  draw();
}

export default { render };
