// One page of the webhooks. The kernel searches, sorts, pages and keeps the selection by ID.

import { element } from "./shared.js";

function render({ model, el }) {
  el.classList.add("cx-grid");
  const send = (event, rest = {}) => model.send({ event, ...rest });
  const button = (textContent, onClick, title = "") => {
    const node = element("button", { type: "button", textContent, title });
    node.addEventListener("click", onClick);
    return node;
  };
  const summary = element("span", { className: "cx-muted" });
  summary.setAttribute("role", "status");
  const selectMatching = button("", () => send("select_matching"));
  const clear = button("Clear", () => send("clear"), "Clear the selection");
  const position = element("span");
  const previous = button("‹", () => send("page", { page: model.get("page") - 1 }), "Previous page");
  const next = button("›", () => send("page", { page: model.get("page") + 1 }), "Next page");
  for (const node of [previous, next]) node.setAttribute("aria-label", node.title);
  const pager = element("div", { className: "cx-pager" }, previous, position, next);
  const header = element("tr");
  const body = element("tbody");
  const table = element("table", { className: "cx-table cx-webhooks" }, element("thead", {}, header), body);
  const scroll = element("div", { className: "cx-scroll", tabIndex: 0 }, table);
  scroll.setAttribute("role", "region");
  scroll.setAttribute("aria-label", "Webhooks");
  const empty = element("p", { className: "cx-empty" });
  el.append(element("div", { className: "cx-tools" }, summary, selectMatching, clear, pager), scroll, empty);

  const keyed = (node, key) => {
    node.dataset.key = key;
    return node;
  };
  const checkbox = (checked, label, key, onChange) => {
    const box = keyed(element("input", { type: "checkbox", checked }), key);
    box.setAttribute("aria-label", label);
    box.addEventListener("change", () => onChange(box.checked));
    return box;
  };
  const headings = (rows, selected) => {
    const [sorted, descending] = model.get("sort");
    const allSelected = rows.length > 0 && rows.every(([key]) => selected.has(key));
    return [
      element("th", { scope: "col" }, checkbox(allSelected, "Select all on this page", "all", (on) => send("select_page", { on }))),
      ...model.get("columns").map((name) => {
        const arrow = name === sorted ? (descending ? " ▼" : " ▲") : "";
        const sort = keyed(button(name + arrow, () => send("sort", { column: name }), `Sort by ${name}`), `sort ${name}`);
        const cell = element("th", { scope: "col" }, sort);
        cell.setAttribute("aria-sort", name === sorted ? (descending ? "descending" : "ascending") : "none");
        return cell;
      }),
    ];
  };
  const line = ([key, name, status, events, host, created, allEvents], selected) => {
    const box = checkbox(selected.has(key), `Select ${name}`, `row ${key}`, (on) => send("select", { id: key, on }));
    const open = keyed(button(name, () => send("open", { id: key }), name), `open ${key}`);
    open.className = "cx-open";
    const row = element(
      "tr",
      { className: selected.has(key) ? "cx-selected" : "" },
      element("td", {}, box),
      element("td", {}, open),
      element("td", {}, element("span", { className: `cx-state cx-${status}`, textContent: status })),
      element("td", { title: allEvents }, element("div", { className: "cx-event" }, ...events.split(/ (?=\+)/).map((textContent) => element("span", { textContent })))),
      element("td", { textContent: host, title: host }),
      element("td", { textContent: created }),
    );
    row.addEventListener("click", (event) => {
      if (event.target !== box && event.target !== open) send("open", { id: key });
    });
    return row;
  };

  const draw = () => {
    const { activeElement } = document;
    const focused = el.contains(activeElement) ? activeElement.dataset.key : undefined;
    const selected = new Set(model.get("ticked"));
    const rows = model.get("rows");
    header.replaceChildren(...headings(rows, selected));
    body.replaceChildren(...rows.map((row) => line(row, selected)));
    summary.textContent = model.get("summary");
    selectMatching.textContent = `Select all ${model.get("matching").toLocaleString("en")} matching`;
    previous.disabled = model.get("page") <= 1;
    next.disabled = model.get("page") >= model.get("pages");
    position.textContent = `Page ${model.get("page")} of ${model.get("pages")}`;
    pager.hidden = model.get("pages") < 2;
    selectMatching.hidden = model.get("matching") < 2;
    clear.hidden = model.get("selection") === 0;
    scroll.hidden = rows.length === 0;
    empty.textContent = model.get("empty");
    empty.hidden = !empty.textContent;
    if (focused) [...el.querySelectorAll("[data-key]")].find((node) => node.dataset.key === focused)?.focus();
  };
  model.on("change", draw);
  draw();
}

export default { render };
