// The requests that a listener heard, newest first; pressing one opens it below.

const HEADS = ["#", "Time", "Event", "Attempt", "Verdict", "Answered"];

function made(tag, text, className = "") {
  return Object.assign(document.createElement(tag), { textContent: text, className });
}

function render({ model, el }) {
  el.classList.add("cx", "cx-arrivals", "mathjax_ignore", "tex2jax_ignore");
  const title = made("p", model.get("title"), "cx-note");
  const table = made("table", "", "cx-table");
  const head = made("tr", "");
  head.append(...HEADS.map((words) => Object.assign(made("th", words), { scope: "col" })));
  const body = made("tbody", "");
  const said = made("p", "", "cx-note");
  said.setAttribute("role", "status");
  const parts = made("div", "", "cx-opened");
  table.append(made("thead", ""), body);
  table.tHead.append(head);
  el.append(title, table, said, parts);

  const drawRows = () => {
    const rows = model.get("rows");
    const focused = document.activeElement?.dataset?.request;
    body.replaceChildren(
      ...rows.map(([id, time, event, attempt, verdict, answered]) => {
        const row = made("tr", "");
        const button = Object.assign(made("button", String(id)), { type: "button", title: `Open request ${id}` });
        button.dataset.request = id;
        button.setAttribute("aria-label", `Open request ${id}`);
        const cell = made("td", "");
        cell.append(button);
        const tone = verdict.startsWith("verified") ? "cx-good" : verdict.startsWith("refused") ? "cx-bad" : "";
        row.append(cell, made("td", time), made("td", event, "cx-mono"), made("td", attempt), made("td", verdict, tone), made("td", answered));
        row.addEventListener("click", () => model.send({ event: "open", id }));
        return row;
      }),
    );
    said.textContent = rows.length ? `${rows[0][0]} received, the newest first. Press one to open it.` : "Nothing has arrived yet.";
    body.querySelector(`[data-request="${focused}"]`)?.focus();
  };
  const drawParts = () => {
    parts.replaceChildren(
      ...model.get("opened").flatMap(([heading, text]) => [made("h5", heading), made("pre", text, "cx-part")]),
    );
  };
  model.on("change:rows", drawRows);
  model.on("change:opened", drawParts);
  drawRows();
  drawParts();
}

export default { render };
