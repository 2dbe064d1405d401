// The top of a webhook's panel: name, status, URL and ID, each of the two with Copy. The kernel holds the full URL until it is asked.

import { copyButton, element, questions } from "./shared.js";

function render({ model, el }) {
  el.classList.add("cx-head");
  const heading = element("h4");
  const state = element("span");
  const close = element("button", { type: "button", className: "cx-close", textContent: "×", title: "Close" });
  close.setAttribute("aria-label", "Close the panel");
  close.addEventListener("click", () => model.send({ event: "close" }));
  const url = element("code");
  const id = element("code");
  const fullUrl = questions(model);
  const show = element("button", { type: "button", className: "cx-small", textContent: "Show" });
  show.setAttribute("aria-label", "Show the full URL");
  show.addEventListener("click", async () => {
    url.textContent = await fullUrl();
    show.hidden = true;
  });
  const copyUrl = copyButton("Copy", fullUrl, undefined, "Copy the URL");
  const copyId = copyButton("Copy", () => model.get("content").id, undefined, "Copy the ID");
  el.append(
    element("div", { className: "cx-title" }, heading, state, close),
    element("div", { className: "cx-copied" }, url, show, copyUrl),
    element("div", { className: "cx-copied" }, id, copyId),
  );
  const draw = () => {
    heading.textContent = model.get("content").name;
    state.textContent = model.get("content").status;
    state.className = `cx-state cx-${model.get("content").status}`;
    url.textContent = model.get("content").url || "no URL";
    show.hidden = !model.get("content").masked;
    copyUrl.hidden = !model.get("content").url;
    id.textContent = model.get("content").id;
  };
  model.on("change", draw);
  draw();
}

export default { render };
