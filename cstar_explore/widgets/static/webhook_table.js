// One page of the webhooks. Searching, sorting, paging and the selection (by id) are the kernel's; this draws and asks.

function made(tag, properties = {}, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
}

function render({ model, el }) {
  el.classList.add("cx", "mathjax_ignore", "tex2jax_ignore");
  const ask = (event, rest = {}) => model.send({ event, ...rest });
  const id = `cx-search-${Math.random().toString(36).slice(2)}`;
  const search = made("input", { id, type: "text", autocomplete: "off", spellcheck: false, placeholder: "name, URL, id or event type" });
  const before = made("button", { type: "button", textContent: "Previous page" });
  const after = made("button", { type: "button", textContent: "Next page" });
  const where = made("span");
  const said = made("span", { className: "cx-where" });
  said.setAttribute("role", "status");
  const tools = made("div", { className: "cx-tools" }, made("label", { htmlFor: id, textContent: "Search" }), search, before, where, after);
  const head = made("tr");
  const body = made("tbody");
  const table = made("table", { className: "cx-table cx-webhooks" }, made("thead", {}, head), body);
  el.append(tools, made("div", { className: "cx-scroll" }, table), said);

  let waiting;
  search.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => ask("search", { text: search.value }), 150);
  });
  before.addEventListener("click", () => ask("page", { page: model.get("page") - 1 }));
  after.addEventListener("click", () => ask("page", { page: model.get("page") + 1 }));

  const draw = () => {
    const { activeElement } = document;
    const focused = el.contains(activeElement) ? activeElement.dataset.key : undefined;
    const [sorted, down] = model.get("sort");
    const selected = new Set(model.get("ticked"));
    const rows = model.get("rows");
    const all = made("input", { type: "checkbox", checked: rows.length > 0 && rows.every(([key]) => selected.has(key)) });
    all.dataset.key = "all";
    all.setAttribute("aria-label", "Select all on this page");
    all.addEventListener("change", () => ask("select_page", { on: all.checked }));
    head.replaceChildren(
      made("th", { scope: "col" }, all),
      ...model.get("columns").map((name) => {
        const arrow = name === sorted ? (down ? " ▼" : " ▲") : "";
        const button = made("button", { type: "button", textContent: name + arrow, title: `Sort by ${name}` });
        button.dataset.key = `sort ${name}`;
        button.addEventListener("click", () => ask("sort", { column: name }));
        const cell = made("th", { scope: "col" }, button);
        cell.setAttribute("aria-sort", name === sorted ? (down ? "descending" : "ascending") : "none");
        return cell;
      }),
    );
    body.replaceChildren(
      ...rows.map(([key, ...cells]) => {
        const tick = made("input", { type: "checkbox", checked: selected.has(key) });
        tick.dataset.key = `row ${key}`;
        tick.setAttribute("aria-label", `Select ${cells[0]}`);
        tick.addEventListener("change", () => ask("select", { id: key, on: tick.checked }));
        const row = made("tr", { className: selected.has(key) ? "cx-picked" : "" }, made("td", {}, tick), ...cells.map((text) => made("td", { textContent: text })));
        row.addEventListener("click", (event) => {
          if (event.target !== tick) ask("select", { id: key, on: !selected.has(key) });
        });
        return row;
      }),
    );
    before.disabled = model.get("page") <= 1;
    after.disabled = model.get("page") >= model.get("pages");
    where.textContent = `Page ${model.get("page")} of ${model.get("pages")}`;
    said.textContent = model.get("said");
    if (document.activeElement !== search) search.value = model.get("query");
    if (focused) [...el.querySelectorAll("[data-key]")].find((node) => node.dataset.key === focused)?.focus();
  };
  model.on("change", draw);
  draw();
  return () => clearTimeout(waiting);
}

export default { render };
