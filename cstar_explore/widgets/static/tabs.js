// A row of tabs: arrows, Home and End move along it, as screen readers expect of tabs.

function render({ model, el }) {
  el.classList.add("cx", "cx-tabs");
  el.setAttribute("role", "tablist");
  const choose = (index) => {
    const count = model.get("names").length;
    model.set("chosen", (index + count) % count);
    model.save_changes();
    draw();
    el.querySelector("[aria-selected='true']").focus();
  };
  el.addEventListener("keydown", (event) => {
    const to = { ArrowRight: model.get("chosen") + 1, ArrowLeft: model.get("chosen") - 1, Home: 0, End: -1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    choose(to);
  });
  const draw = () => {
    el.replaceChildren(
      ...model.get("names").map((name, index) => {
        const tab = Object.assign(document.createElement("button"), { type: "button", textContent: name });
        const chosen = index === model.get("chosen");
        tab.setAttribute("role", "tab");
        tab.setAttribute("aria-selected", String(chosen));
        tab.tabIndex = chosen ? 0 : -1;
        tab.addEventListener("click", () => choose(index));
        return tab;
      }),
    );
  };
  model.on("change", draw);
  draw();
}

export default { render };
