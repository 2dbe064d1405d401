// One page of the webhooks. The kernel searches, sorts, pages and keeps the selection by ID.

function element(tag, properties = {}, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
}

function render({ model, el }) {
  el.classList.add("cx", "mathjax_ignore", "tex2jax_ignore");
  const send = (event, rest = {}) => model.send({ event, ...rest });
  const id = `cx-search-${Math.random().toString(36).slice(2)}`;
  const search = element("input", { id, type: "text", autocomplete: "off", spellcheck: false, placeholder: "name, URL, ID or event type" });
  const previous = element("button", { type: "button", textContent: "Previous page" });
  const next = element("button", { type: "button", textContent: "Next page" });
  const position = element("span");
  const summary = element("span", { className: "cx-muted" });
  summary.setAttribute("role", "status");
  const tools = element("div", { className: "cx-tools" }, element("label", { htmlFor: id, textContent: "Search" }), search, previous, position, next);
  const header = element("tr");
  const body = element("tbody");
  const table = element("table", { className: "cx-table cx-webhooks" }, element("thead", {}, header), body);
  el.append(tools, element("div", { className: "cx-scroll" }, table), summary);

  let timer;
  search.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => send("search", { text: search.value }), 150);
  });
  previous.addEventListener("click", () => send("page", { page: model.get("page") - 1 }));
  next.addEventListener("click", () => send("page", { page: model.get("page") + 1 }));

  const draw = () => {
    const { activeElement } = document;
    const focused = el.contains(activeElement) ? activeElement.dataset.key : undefined;
    const [sorted, descending] = model.get("sort");
    const selected = new Set(model.get("ticked"));
    const rows = model.get("rows");
    const selectAll = element("input", { type: "checkbox", checked: rows.length > 0 && rows.every(([key]) => selected.has(key)) });
    selectAll.dataset.key = "all";
    selectAll.setAttribute("aria-label", "Select all on this page");
    selectAll.addEventListener("change", () => send("select_page", { on: selectAll.checked }));
    header.replaceChildren(
      element("th", { scope: "col" }, selectAll),
      ...model.get("columns").map((name) => {
        const arrow = name === sorted ? (descending ? " ▼" : " ▲") : "";
        const button = element("button", { type: "button", textContent: name + arrow, title: `Sort by ${name}` });
        button.dataset.key = `sort ${name}`;
        button.addEventListener("click", () => send("sort", { column: name }));
        const cell = element("th", { scope: "col" }, button);
        cell.setAttribute("aria-sort", name === sorted ? (descending ? "descending" : "ascending") : "none");
        return cell;
      }),
    );
    body.replaceChildren(
      ...rows.map(([key, ...cells]) => {
        const checkbox = element("input", { type: "checkbox", checked: selected.has(key) });
        checkbox.dataset.key = `row ${key}`;
        checkbox.setAttribute("aria-label", `Select ${cells[0]}`);
        checkbox.addEventListener("change", () => send("select", { id: key, on: checkbox.checked }));
        const row = element("tr", { className: selected.has(key) ? "cx-selected" : "" }, element("td", {}, checkbox), ...cells.map((text) => element("td", { textContent: text })));
        row.addEventListener("click", (event) => {
          if (event.target !== checkbox) send("select", { id: key, on: !selected.has(key) });
        });
        return row;
      }),
    );
    previous.disabled = model.get("page") <= 1;
    next.disabled = model.get("page") >= model.get("pages");
    position.textContent = `Page ${model.get("page")} of ${model.get("pages")}`;
    summary.textContent = model.get("summary");
    if (document.activeElement !== search) search.value = model.get("query");
    if (focused) [...el.querySelectorAll("[data-key]")].find((node) => node.dataset.key === focused)?.focus();
  };
  model.on("change", draw);
  draw();
  return () => clearTimeout(timer);
}

export default { render };
