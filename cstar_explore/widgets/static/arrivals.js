// The requests that a listener received, newest first, and the details of the selected one.

const COLUMNS = ["#", "Time", "Event", "Attempt", "Verdict", "Answered"];

function element(tag, text, className = "") {
  return Object.assign(document.createElement(tag), { textContent: text, className });
}

function render({ model, el }) {
  el.classList.add("cx", "cx-arrivals", "mathjax_ignore", "tex2jax_ignore");
  const title = element("p", model.get("title"), "cx-note");
  const table = element("table", "", "cx-table");
  const header = element("tr", "");
  header.append(...COLUMNS.map((name) => Object.assign(element("th", name), { scope: "col" })));
  const body = element("tbody", "");
  const summary = element("p", "", "cx-note");
  summary.setAttribute("role", "status");
  const details = element("div", "", "cx-opened");
  table.append(element("thead", ""), body);
  table.tHead.append(header);
  el.append(title, table, summary, details);

  const drawRows = () => {
    const rows = model.get("rows");
    const focused = document.activeElement?.dataset?.request;
    body.replaceChildren(
      ...rows.map(([id, time, event, attempt, verdict, answered]) => {
        const row = element("tr", "");
        const button = Object.assign(element("button", String(id)), { type: "button", title: `Open request ${id}` });
        button.dataset.request = id;
        button.setAttribute("aria-label", `Open request ${id}`);
        const cell = element("td", "");
        cell.append(button);
        const color = verdict.startsWith("verified") ? "cx-good" : verdict.startsWith("refused") ? "cx-bad" : "";
        row.append(cell, element("td", time), element("td", event, "cx-mono"), element("td", attempt), element("td", verdict, color), element("td", answered));
        row.addEventListener("click", () => model.send({ event: "open", id }));
        return row;
      }),
    );
    summary.textContent = rows.length ? `${rows[0][0]} received, newest first. Select one to see its details.` : "No requests yet.";
    body.querySelector(`[data-request="${focused}"]`)?.focus();
  };
  const drawDetails = () => {
    details.replaceChildren(
      ...model.get("opened").flatMap(([heading, text]) => [element("h5", heading), element("pre", text, "cx-part")]),
    );
  };
  model.on("change:rows", drawRows);
  model.on("change:opened", drawDetails);
  drawRows();
  drawDetails();
}

export default { render };
