// One page of a plan: what happens to each webhook, and the result. The kernel pages and filters.

import { element } from "./shared.js";

const MARKS = { done: "✓", unchanged: "=", failed: "✗", unknown: "?", "not tried": "·", running: "" };

function render({ model, el }) {
  el.classList.add("cx-grid", "cx-plan");
  const button = (textContent, label, onClick) => {
    const node = element("button", { type: "button", textContent });
    node.setAttribute("aria-label", label);
    node.addEventListener("click", onClick);
    return node;
  };
  const turn = (by) => model.send({ event: "page", page: model.get("page") + by });
  const kind = element("select");
  kind.setAttribute("aria-label", "Show");
  kind.addEventListener("change", () => model.send({ event: "kind", kind: kind.value }));
  const position = element("span");
  const previous = button("‹", "Previous page", () => turn(-1));
  const next = button("›", "Next page", () => turn(1));
  const pager = element("div", { className: "cx-pager" }, previous, position, next);
  const tools = element("div", { className: "cx-tools" }, kind, pager);
  const head = element("tr");
  const body = element("tbody");
  const scroll = element("div", { className: "cx-scroll", tabIndex: 0 }, element("table", { className: "cx-table cx-rows" }, element("thead", {}, head), body));
  scroll.setAttribute("role", "region");
  scroll.setAttribute("aria-label", "Changes");
  el.append(tools, scroll);

  const line = (className, textContent) => (textContent ? [element("div", { className, textContent })] : []);
  const press = (event, key, textContent, label) => {
    const node = button(textContent, label, () => model.send({ event, key }));
    node.className = "cx-small";
    return node;
  };
  const answers = (webhook, key, result) => [
    ...(result === "accept" ? [press("accept", key, "Accept", `Accept row ${key}, ${webhook}`)] : []),
    press("skip", key, "Skip", `Skip row ${key}, ${webhook}`),
  ];
  const tableRow = ([what, webhook, key, changes, result, note]) => {
    const asked = what === "question";
    const [outcome, ...rest] = asked ? [""] : result.split(": ");
    const detail = rest.join(": ");
    const state = element("span", { className: "cx-outcome", textContent: `${MARKS[outcome] ?? ""} ${outcome}`.trim(), title: detail });
    const row = element(
      "tr",
      {},
      element("td", {}, element("span", { className: "cx-what", textContent: what })),
      element("td", { textContent: webhook, title: webhook }),
      element("td", {}, element("div", { textContent: changes, title: changes }), ...line("cx-muted", note), ...line("cx-outcome", outcome === "not tried" ? "" : detail)),
      element("td", {}, ...(asked ? answers(webhook, key, result) : outcome ? [state] : []), ...(key && !asked ? [press("secret", key, "Secret…", `Show the signing secret of ${webhook}`)] : [])),
    );
    row.dataset.kind = what;
    row.dataset.outcome = outcome;
    return row;
  };

  let followed;
  const draw = () => {
    const rows = model.get("rows");
    const focused = el.contains(document.activeElement) ? document.activeElement.getAttribute("aria-label") : null;
    const withResults = rows.some(([what, , key, , result]) => result || key || what === "question");
    const titles = ["", "Webhook", "Changes", ...(withResults ? ["Result"] : [])];
    head.replaceChildren(...titles.map((textContent) => element(textContent ? "th" : "td", textContent ? { scope: "col", textContent } : {})));
    body.replaceChildren(...rows.map(tableRow));
    if (!withResults) for (const row of body.rows) row.lastChild.remove();
    kind.replaceChildren(
      ...model.get("kinds").map(([value, count]) => element("option", { value, textContent: `Show ${value || "all"} (${count.toLocaleString("en")})` })),
    );
    kind.value = model.get("kind");
    kind.hidden = model.get("kinds").length < 3 || model.get("kinds")[0][1] < 12;
    position.textContent = `Page ${model.get("page")} of ${model.get("pages")}`;
    previous.disabled = model.get("page") <= 1;
    next.disabled = model.get("page") >= model.get("pages");
    pager.hidden = model.get("pages") < 2;
    tools.hidden = kind.hidden && pager.hidden;
    scroll.hidden = rows.length === 0;
    // Keeps the change that is being made, or else the first problem, in view.
    const watched = body.querySelector('[data-outcome="running"]') ?? body.querySelector('[data-outcome="failed"], [data-outcome="unknown"]');
    const place = `${model.get("page")} ${watched?.rowIndex}`;
    if (place !== followed) scroll.scrollTop = watched ? watched.offsetTop - scroll.clientHeight / 2 : 0;
    followed = place;
    if (focused) [...el.querySelectorAll("[aria-label]")].find((node) => node.getAttribute("aria-label") === focused)?.focus({ preventScroll: true });
  };
  model.on("change", draw);
  draw();
}

export default { render };
