// The requests that a listener received, newest first, and the details of the selected one.

import { copyButton, element, questions } from "./shared.js";

const COLUMNS = ["#", "Time", "Event", "Attempt", "Verdict", "Answered"];

const node = (tag, textContent = "", className = "") => element(tag, { textContent, className });

function render({ model, el }) {
  el.classList.add("cx", "cx-arrivals", "mathjax_ignore", "tex2jax_ignore");
  const title = node("p", model.get("title"), "cx-note");
  const table = node("table", "", "cx-table");
  const header = node("tr");
  header.append(...COLUMNS.map((name) => Object.assign(node("th", name), { scope: "col" })));
  const body = node("tbody");
  const summary = node("p", "", "cx-note");
  summary.setAttribute("role", "status");
  const details = node("div", "", "cx-opened");
  table.append(node("thead"), body);
  table.tHead.append(header);
  el.append(title, element("div", { className: "cx-columns" }, element("div", {}, table, summary), details));

  const drawRows = () => {
    const rows = model.get("rows");
    const focused = document.activeElement?.dataset?.request;
    body.replaceChildren(
      ...rows.map(([id, time, event, attempt, verdict, answered]) => {
        const row = node("tr", "", model.get("opened").length && id === model.get("number") ? "cx-selected" : "");
        const button = Object.assign(node("button", String(id)), { type: "button", title: `Open request ${id}` });
        button.dataset.request = id;
        button.setAttribute("aria-label", `Open request ${id}`);
        const cell = node("td");
        cell.append(button);
        const color = verdict.startsWith("verified") ? "cx-good" : verdict.startsWith("refused") ? "cx-bad" : "";
        row.append(cell, node("td", time), node("td", event, "cx-mono"), node("td", attempt), node("td", verdict.replaceAll("_", " "), color), node("td", answered));
        row.addEventListener("click", () => model.send({ event: "open", id }));
        return row;
      }),
    );
    summary.textContent = rows.length ? `${rows[0][0]} received, newest first. Select one to see its details.` : "No requests yet.";
    body.querySelector(`[data-request="${focused}"]`)?.focus();
  };
  const ask = questions(model);
  const copier = (label, what) =>
    copyButton(label, () => ask({ event: "copy", what }), (text, button) => {
      const shown = node("pre", text, "cx-part");
      shown.tabIndex = 0;
      button.parentElement.after(shown);
      getSelection().selectAllChildren(shown);
    });
  const part = (heading, text) => {
    if (heading === "Verdict") {
      const [headline, ...lines] = text.split("\n");
      const tone = headline === "Verified" ? "cx-good" : headline.startsWith("Refused") ? "cx-bad" : "cx-muted";
      const banner = node("div", "", `cx-banner ${tone}`);
      banner.append(node("strong", headline), ...lines.map((line) => node("p", line)));
      return [banner];
    }
    const content = node("pre", text, "cx-part");
    content.tabIndex = 0; // it scrolls
    if (heading !== "Transport headers") return [node("h5", heading), content];
    const fold = node("details");
    fold.append(node("summary", heading), content);
    return [fold];
  };
  const drawDetails = () => {
    const parts = model.get("opened").flatMap(([heading, text]) => part(heading, text));
    if (parts.length) {
      const close = Object.assign(node("button", "Close", "cx-small"), { type: "button" });
      close.addEventListener("click", () => {
        const number = model.get("number");
        model.set("opened", []);
        model.save_changes();
        body.querySelector(`[data-request="${number}"]`)?.focus();
      });
      const bar = node("div", "", "cx-row-line");
      bar.append(copier("Copy body", "body"), copier("Copy as curl", "curl"), close);
      parts.splice(1, 0, bar);
    }
    details.replaceChildren(...parts);
    drawRows(); // marks the opened one
  };
  model.on("change:rows", drawRows);
  model.on("change:opened", drawDetails);
  drawDetails();
}

export default { render };
