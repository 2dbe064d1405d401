// Unpacks the module with the stylesheet and the scripts, once for each kernel that the page shows.

async function unpacked(model) {
  const packed = Uint8Array.from(atob(model.get("packed")), (character) => character.charCodeAt(0));
  return new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
}

async function load(model) {
  const source = await unpacked(model);
  const { css, scripts } = await import(URL.createObjectURL(new Blob([source], { type: "text/javascript" })));
  // It stays when a widget is removed: others may need it.
  if (![...document.querySelectorAll("style.cx-styles")].some((style) => style.textContent === css)) {
    document.head.append(Object.assign(document.createElement("style"), { className: "cx-styles", textContent: css }));
  }
  return scripts;
}

// While the kernel runs, hides the notes that say what each output was (`displayed.py`). Afterwards, shows them, and takes no input.
function followKernel(model) {
  const notes = `.cx-ended-${model.model_id}`;
  const style = document.createElement("style");
  // Two rules: a browser that does not know :has() drops the second.
  style.textContent = `${notes} { display: none } :is(.jp-OutputArea-child, .output_area):has(${notes}) { display: none }`;
  const follow = () => {
    if (model.comm_live === false) style.remove();
    else document.head.append(style);
    document.querySelectorAll(`[data-cx-kernel="${model.model_id}"]`).forEach((el) => mark(model, el));
    setTimeout(disableEnded); // once ipywidgets has marked its boxes
  };
  model.on("comm_live_update", follow);
  follow();
}

// ipywidgets marks the boxes of a kernel that has ended, and not the views of other widgets.
function mark(model, el) {
  el.dataset.cxKernel = model.model_id;
  el.classList.toggle("jupyter-widgets-disconnected", model.comm_live === false);
}

function disableEnded() {
  for (const control of document.querySelectorAll(".cx.jupyter-widgets-disconnected :is(button, input, select, textarea):enabled")) {
    control.disabled = control.dataset.cxEnded = true;
  }
  for (const control of document.querySelectorAll("[data-cx-ended]:not(.jupyter-widgets-disconnected *)")) {
    control.disabled = false; // the page has reconnected to its kernel
    delete control.dataset.cxEnded;
  }
}

export default async (model, context) => {
  context.el.classList.add("cx", "mathjax_ignore", "tex2jax_ignore");
  mark(model, context.el);
  if (!model.cxScripts) {
    followKernel(model);
    // A saved state without its kernel: its views appear one by one.
    if (model.comm_live === false) new MutationObserver(disableEnded).observe(document.body, { childList: true, subtree: true });
    model.cxScripts = load(model);
  }
  return (await model.cxScripts)[context.model.get("_script")](context);
};
