// A read-only table of text.

function render({ model, el }) {
  const cells = (tag, texts) => texts.map((textContent) => Object.assign(document.createElement(tag), { textContent }));
  const tableRow = (...nodes) => {
    const row = document.createElement("tr");
    row.append(...nodes);
    return row;
  };
  const draw = () => {
    const rows = model.get("content").rows;
    el.classList.toggle("cx-hidden", rows.length === 0);
    const head = document.createElement("thead");
    const headings = cells("th", model.get("content").columns);
    headings.forEach((cell) => cell.setAttribute("scope", "col"));
    head.append(tableRow(...headings));
    const body = document.createElement("tbody");
    body.append(
      ...rows.map((texts, index) => {
        const row = tableRow(...cells("td", texts));
        // What a row repeats is muted, so that what differs stands out.
        texts.forEach((text, column) => row.cells[column].classList.toggle("cx-muted", column > 0 && text === rows[index - 1]?.[column]));
        row.dataset.kind = texts[0];
        return row;
      }),
    );
    const table = Object.assign(document.createElement("table"), { className: "cx-table cx-rows" });
    table.append(head, body);
    const scroll = Object.assign(document.createElement("div"), { className: "cx-scroll", tabIndex: 0 });
    scroll.append(table);
    const note = Object.assign(document.createElement("span"), { className: "cx-muted", textContent: model.get("content").note });
    el.replaceChildren(scroll, note);
  };
  model.on("change", draw);
  draw();
}

export default { render };
