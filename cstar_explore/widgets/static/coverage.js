// A chart of event types by webhooks: a dot marks each webhook that receives the event.

function element(tag, properties = {}, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
}

function render({ model, el }) {
  el.classList.add("cx", "cx-coverage-box", "mathjax_ignore", "tex2jax_ignore");
  const summary = element("summary");
  const table = element("table", { className: "cx-table cx-coverage" });
  el.append(element("details", {}, summary, element("div", { className: "cx-scroll" }, table)));
  const draw = () => {
    const names = model.get("names");
    const rows = model.get("rows");
    const uncovered = rows.filter(([, count]) => count === 0).length;
    const shared = rows.filter(([, count]) => count > 1).length;
    summary.textContent = `Coverage of ${rows.length} event types: ${uncovered} without a receiver, ${shared} with several`;
    const header = element("tr", {}, element("th", { scope: "col", textContent: "Event" }), element("th", { scope: "col", textContent: "Receivers" }));
    header.append(...names.map((name) => element("th", { scope: "col", className: "cx-slanted", textContent: name, title: name })));
    table.replaceChildren(
      element("thead", {}, header),
      element(
        "tbody",
        {},
        ...rows.map(([event, count, indices]) => {
          const row = element("tr", {}, element("td", { className: "cx-mono", textContent: event }));
          row.append(element("td", { className: count === 1 ? "" : count === 0 ? "cx-bad" : "cx-warned", textContent: count || "none" }));
          row.append(...names.map((name, index) => element("td", { className: "cx-dot", textContent: indices.includes(index) ? "●" : "", title: name })));
          return row;
        }),
      ),
    );
  };
  model.on("change", draw);
  draw();
}

export default { render };
