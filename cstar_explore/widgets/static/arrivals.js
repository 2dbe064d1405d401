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
  const pending = new Map();
  model.on("msg:custom", ({ nonce, value }) => {
    pending.get(nonce)?.(value);
    pending.delete(nonce);
  });
  const ask = (what) =>
    new Promise((resolve) => {
      const nonce = crypto.getRandomValues(new Uint32Array(4)).join("-");
      pending.set(nonce, resolve);
      model.send({ event: "copy", what, nonce });
    });
  const copyButton = (label, what) => {
    const button = Object.assign(element("button", label, "cx-small"), { type: "button" });
    button.addEventListener("click", async () => {
      const text = ask(what);
      try {
        // A ClipboardItem accepts a promise, so the click still permits copying when the kernel replies.
        const blob = text.then((value) => new Blob([value], { type: "text/plain" }));
        await navigator.clipboard.write([new ClipboardItem({ "text/plain": blob })]);
        button.textContent = "Copied";
        setTimeout(() => (button.textContent = label), 2000);
      } catch {
        const shown = element("pre", await text, "cx-part");
        shown.tabIndex = 0;
        button.parentElement.after(shown);
        getSelection().selectAllChildren(shown);
      }
    });
    return button;
  };
  const part = (heading, text) => {
    if (heading === "Verdict") {
      const [headline, ...lines] = text.split("\n");
      const tone = headline === "Verified" ? "cx-good" : headline.startsWith("Refused") ? "cx-bad" : "cx-muted";
      const banner = element("div", "", `cx-banner ${tone}`);
      banner.append(element("strong", headline), ...lines.map((line) => element("p", line)));
      return [banner];
    }
    const content = element("pre", text, "cx-part");
    content.tabIndex = 0; // it scrolls
    if (heading !== "Transport headers") return [element("h5", heading), content];
    const fold = element("details", "");
    fold.append(element("summary", heading), content);
    return [fold];
  };
  const drawDetails = () => {
    const parts = model.get("opened").flatMap(([heading, text]) => part(heading, text));
    if (parts.length) {
      const close = Object.assign(element("button", "Close", "cx-small"), { type: "button" });
      close.addEventListener("click", () => {
        const number = model.get("number");
        model.set("opened", []);
        model.save_changes();
        body.querySelector(`[data-request="${number}"]`)?.focus();
      });
      const bar = element("div", "", "cx-row-line");
      bar.append(copyButton("Copy body", "body"), copyButton("Copy as curl", "curl"), close);
      parts.splice(1, 0, bar);
    }
    details.replaceChildren(...parts);
  };
  model.on("change:rows", drawRows);
  model.on("change:opened", drawDetails);
  drawRows();
  drawDetails();
}

export default { render };
