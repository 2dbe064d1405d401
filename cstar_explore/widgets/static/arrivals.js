// The requests that a listener received, newest first, and the details of the selected one.

import { copyButton, element, labelled, option, questions, suppressShortcuts } from "./shared.js";

const COLUMNS = ["#", "Time", "Event", "Webhook", "Attempt", "Verdict", "Answered", "Duration"];

const node = (tag, textContent = "", className = "") => element(tag, { textContent, className });

function render({ model, el }) {
  el.classList.add("cx-arrivals");
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
  const verdicts = [["", "All"], ["verified", "Verified"], ["refused", "Refused"], ["failed answer", "Failed answer (not 2xx)"]];
  const verdict = element("select", {}, ...verdicts.map(([value, text]) => option(value, text)));
  const event = element("select");
  const showAll = Object.assign(node("button", "Show all"), { type: "button" });
  const filters = element("div", { className: "cx-tools" }, labelled("Verdict", verdict), labelled("Event", event), showAll);
  el.append(title, element("div", { className: "cx-columns" }, element("div", {}, filters, table, summary), details));

  const filter = () => model.send({ event: "filter", verdict: verdict.value, type: event.value });
  verdict.addEventListener("change", filter);
  event.addEventListener("change", filter);
  showAll.addEventListener("click", () => {
    verdict.focus(); // the button disappears
    model.send({ event: "filter", verdict: "", type: "" });
  });
  const drawFilters = () => {
    event.replaceChildren(option("", "All"), ...model.get("events").map((name) => option(name, name)));
    event.value = model.get("event");
    verdict.value = model.get("verdict");
    showAll.hidden = !(event.value || verdict.value);
    summary.textContent = model.get("summary");
  };

  const drawRows = () => {
    const rows = model.get("rows");
    const focused = document.activeElement?.dataset?.request;
    body.replaceChildren(
      ...rows.map(([id, time, event, attempt, verdict, answered, webhook, duration]) => {
        const row = node("tr", "", model.get("opened").length && id === model.get("number") ? "cx-selected" : "");
        const button = Object.assign(node("button", String(id)), { type: "button", title: `Open request ${id}` });
        button.dataset.request = id;
        button.setAttribute("aria-label", `Open request ${id}`);
        const cell = node("td");
        cell.append(button);
        const color = verdict.startsWith("verified") ? "cx-good" : verdict.startsWith("refused") ? "cx-bad" : "";
        row.append(cell, node("td", time), node("td", event, "cx-mono"), node("td", webhook), node("td", attempt), node("td", verdict.replaceAll("_", " "), color), node("td", answered), node("td", duration));
        row.addEventListener("click", () => model.send({ event: "open", id }));
        return row;
      }),
    );
    table.hidden = !rows.length;
    body.querySelector(`[data-request="${focused}"]`)?.focus();
  };
  const ask = questions(model);
  const copier = (label, what) =>
    copyButton(label, () => ask(what), (text, button) => {
      const shown = node("pre", text, "cx-part");
      shown.tabIndex = 0;
      button.parentElement.after(shown);
      getSelection().selectAllChildren(shown);
    });
  const replay = Object.assign(node("button", "Replay", "cx-small"), { type: "button", title: "Send this request to the listener again" });
  replay.addEventListener("click", () => model.send({ event: "replay" })); // while it sends, the kernel ignores this
  const replayed = node("span");
  replayed.setAttribute("role", "status");
  const drawReplayed = () => {
    replay.setAttribute("aria-disabled", model.get("tone") === "busy");
    replayed.className = `cx-status cx-${model.get("tone") || "quiet"}`;
    replayed.textContent = model.get("replayed");
  };
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
      const complete = model.get("opened").some(([heading]) => heading === "JSON"); // else its body was not read
      bar.append(...(complete ? [replay] : []), copier("Copy body", "body"), copier("Copy as curl", "curl"), close, replayed);
      parts.splice(1, 0, bar);
    }
    details.replaceChildren(...parts);
    drawRows(); // marks the opened one
  };
  model.on("change:rows", drawRows);
  model.on("change:opened", drawDetails);
  model.on("change:verdict change:event change:events change:summary", drawFilters);
  model.on("change:replayed change:tone", drawReplayed);
  drawFilters();
  drawReplayed();
  drawDetails();
  return suppressShortcuts(el);
}

export default { render };
