// Event types × webhooks: a dot where an event is delivered, and in words how many receive it.

function made(tag, properties = {}, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
}

function render({ model, el }) {
  el.classList.add("cx", "cx-coverage-box", "mathjax_ignore", "tex2jax_ignore");
  const summary = made("summary");
  const table = made("table", { className: "cx-table cx-coverage" });
  el.append(made("details", {}, summary, made("div", { className: "cx-scroll" }, table)));
  const draw = () => {
    const names = model.get("names");
    const rows = model.get("rows");
    const unheard = rows.filter(([, count]) => count === 0).length;
    const twice = rows.filter(([, count]) => count > 1).length;
    summary.textContent = `Coverage: ${unheard} of ${rows.length} event types reach nobody, ${twice} reach more than one`;
    const head = made("tr", {}, made("th", { scope: "col", textContent: "Event" }), made("th", { scope: "col", textContent: "Reaches" }));
    head.append(...names.map((name) => made("th", { scope: "col", className: "cx-slanted", textContent: name, title: name })));
    table.replaceChildren(
      made("thead", {}, head),
      made(
        "tbody",
        {},
        ...rows.map(([event, count, places]) => {
          const words = count === 0 ? "nobody" : count === 1 ? "one" : `${count} webhooks`;
          const row = made("tr", {}, made("td", { className: "cx-mono", textContent: event }));
          row.append(made("td", { className: count === 1 ? "" : count === 0 ? "cx-bad" : "cx-warned", textContent: words }));
          row.append(...names.map((name, place) => made("td", { className: "cx-dot", textContent: places.includes(place) ? "●" : "", title: name })));
          return row;
        }),
      ),
    );
  };
  model.on("change", draw);
  draw();
}

export default { render };
