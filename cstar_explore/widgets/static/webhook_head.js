// The top of a webhook's panel: name, status, URL and ID, each of the two with Copy. The kernel holds the full URL until it is asked.

function element(tag, properties = {}, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
}

function render({ model, el }) {
  el.classList.add("cx", "cx-head", "mathjax_ignore", "tex2jax_ignore");
  const heading = element("h4");
  const state = element("span");
  const close = element("button", { type: "button", className: "cx-close", textContent: "×", title: "Close" });
  close.setAttribute("aria-label", "Close the panel");
  close.addEventListener("click", () => model.send({ event: "close" }));
  const url = element("code");
  const id = element("code");
  const button = (textContent, label, onClick) => {
    const node = element("button", { type: "button", className: "cx-small", textContent });
    node.setAttribute("aria-label", label);
    node.addEventListener("click", () => onClick(node));
    return node;
  };
  const copied = async (node, text) => {
    try {
      await navigator.clipboard.writeText(text);
      node.textContent = "Copied";
    } catch {
      node.textContent = "Not copied";
    }
    setTimeout(() => (node.textContent = "Copy"), 2000);
  };
  const fullUrl = () =>
    new Promise((resolve) => {
      const nonce = Math.random();
      const receive = (message) => {
        if (message.nonce !== nonce) return;
        model.off("msg:custom", receive);
        resolve(message.url);
      };
      model.on("msg:custom", receive);
      model.send({ event: "ask", nonce });
    });
  const show = button("Show", "Show the full URL", async () => {
    url.textContent = await fullUrl();
    show.hidden = true;
  });
  const copyUrl = button("Copy", "Copy the URL", async (node) => copied(node, await fullUrl()));
  const copyId = button("Copy", "Copy the ID", (node) => copied(node, model.get("id")));
  el.append(
    element("div", { className: "cx-title" }, heading, state, close),
    element("div", { className: "cx-copied" }, url, show, copyUrl),
    element("div", { className: "cx-copied" }, id, copyId),
  );
  const draw = () => {
    heading.textContent = model.get("name");
    state.textContent = model.get("status");
    state.className = `cx-state cx-${model.get("status")}`;
    url.textContent = model.get("url") || "no URL";
    show.hidden = !model.get("masked");
    copyUrl.hidden = !model.get("url");
    id.textContent = model.get("id");
  };
  model.on("change", draw);
  draw();
}

export default { render };
