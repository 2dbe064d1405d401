// The search field, and the filters for status and event, of the table of webhooks.

import { element, labelled, option } from "./shared.js";

function render({ model, el }) {
  const search = element("input", { type: "text", autocomplete: "off", spellcheck: false, placeholder: "name, URL, ID, event" });
  const status = element("select", {}, option("", "All"), option("active", "Active"), option("paused", "Paused"));
  const event = element("select");
  const showAll = element("button", { type: "button", textContent: "Show all" });
  const tools = [labelled("Search", search), labelled("Status", status), labelled("Event", event), showAll];
  el.append(element("div", { className: "cx-tools" }, ...tools));

  let timer;
  const send = () => {
    clearTimeout(timer);
    model.send({ event: "search", text: search.value, status: status.value, type: event.value });
  };
  search.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(send, 150);
  });
  status.addEventListener("change", send);
  event.addEventListener("change", send);
  showAll.addEventListener("click", () => {
    search.focus(); // the button disappears
    search.value = status.value = event.value = "";
    send();
  });

  const draw = () => {
    event.replaceChildren(option("", "All"), ...model.get("content").events.map((name) => option(name, name)));
    event.value = model.get("content").event;
    status.value = model.get("content").status;
    if (document.activeElement !== search) search.value = model.get("content").query;
    showAll.hidden = !(model.get("content").query || model.get("content").status || model.get("content").event);
  };
  model.on("change", draw);
  draw();
  return () => clearTimeout(timer);
}

export default { render };
