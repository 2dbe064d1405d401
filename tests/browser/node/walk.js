// Uses the Explorer of an open notebook from the search to the audit: node walk.js chrome|firefox <browser's path> <address> <folder for a screenshot of an error>
// Prints one line for each step. Ends with an error where a step shows something else than expected.

import puppeteer from "puppeteer-core";

const PATIENCE = 45_000; // milliseconds; a kernel starts slowly on a busy machine
const [kind, executablePath, address, screenshots] = process.argv.slice(2);
const browser = await puppeteer.launch({
  browser: kind,
  executablePath,
  args: kind === "chrome" ? ["--no-sandbox", "--disable-gpu"] : [],
  defaultViewport: { width: 1280, height: 1000 },
});
const page = await browser.newPage();
const errors = [];
// Those of our scripts, which are loaded from blobs. Notebook 7 has some of its own.
page.on("pageerror", (error) => error.stack?.includes("blob:") && errors.push(error.stack));
page.setDefaultTimeout(PATIENCE);

// The visible element of this kind with this label or text, as soon as it is enabled and has stopped moving. Redrawing may detach
// it before it is clicked, so it is tried again.
const find = (kind, label) =>
  page
    .waitForFunction(
      (css, text) => {
        const node = [...document.querySelectorAll(css)].find(
          (each) => each.checkVisibility() && text === (each.getAttribute("aria-label") ?? each.labels?.[0]?.textContent ?? each.textContent).trim(),
        );
        const [before, { top }] = [window.topBefore, node?.getBoundingClientRect() ?? {}];
        window.topBefore = top;
        return top === before && !node?.disabled && node;
      },
      { polling: 100 },
      kind,
      label,
    )
    .catch(() => {
      throw new Error(`There is no ${kind} '${label}'`);
    });
const click = async (kind, label, tries = 5) => {
  try {
    await (await find(kind, label)).click();
  } catch (error) {
    if (tries === 1) throw error;
    await click(kind, label, tries - 1);
  }
};
const button = (label) => click(".cx-explorer button", label);
const tab = (label) => click(".cx-explorer [role=tab]", label);
const fill = async (label, text) => {
  const field = await find(".cx-explorer input", label);
  await field.click({ count: 3 }); // selects what it holds
  await page.keyboard.press("Backspace");
  await page.keyboard.type(text);
};
const shows = (selector, text) =>
  page
    .waitForFunction((css, part) => [...document.querySelectorAll(css)].some((node) => node.checkVisibility() && node.textContent.includes(part)), {}, selector, text)
    .catch(async () => {
      const seen = await page.$$eval(selector, (nodes) => nodes.map((node) => node.textContent.slice(0, 300)));
      throw new Error(`${selector} does not show '${text}' but ${JSON.stringify(seen)}`);
    });
const rows = (count) => page.waitForFunction((n) => document.querySelectorAll(".cx-webhooks tbody tr").length === n, {}, count);

const STEPS = {
  async run() {
    await page.goto(address);
    // Before the page is connected to its kernel, running a cell opens the kernel chooser.
    const ready = async () => (await (await fetch("/api/kernels")).json()).some(({ connections, execution_state: state }) => connections && state === "idle");
    await page.waitForFunction(ready, { polling: 300 });
    await new Promise((resolve) => setTimeout(resolve, 300));
    await click(".lm-MenuBar-item", "Run");
    await click(".lm-Menu-item .lm-Menu-itemLabel", "Run All Cells");
    await shows(".cx-explorer [role=status]", "Loaded ");
  },
  async search() {
    await fill("Search", "boss");
    await rows(1);
    await fill("Search", "");
    await rows(5);
  },
  async select() {
    await click(".cx-explorer input", "Select Here");
    await shows(".cx-side", "Here");
  },
  async edit() {
    await button("Edit");
    await fill("Name", "Here, renamed");
    await shows(".cx-form", "Here → Here, renamed");
    await button("Save changes");
    await shows(".cx-form [role=status]", "Saved 'Here, renamed'");
  },
  async fire() {
    await button("Fire");
    await button("Fire test event");
    await shows(".cx-form [role=status]", "Fired ticket.created");
  },
  async deliveries() {
    await tab("Deliveries");
    await shows(".cx-arrivals tbody", "verified");
    await button("Open request 1");
    await shows(".cx-opened .cx-banner", "Verified");
  },
  async create() {
    await tab("Create");
    await fill("Name", "Walked");
    await fill("URL", "https://desk.example.com/walk");
    await fill("Events", "ticket.created,");
    await shows(".cx-form .cx-code", "events=['ticket.created']");
    await button("Create webhook");
    await shows(".cx-form [role=status]", "Created 'Walked'");
  },
  async reveal() {
    await button("Reveal");
    await page.waitForFunction(() => /^whsec_SANDBOX\w{25}$/.test(document.querySelector(".cx-secret input").value));
    await button("Hide");
  },
  async pause() {
    await tab("Webhooks");
    await rows(6);
    await button("Pause");
    await shows(".cx-explorer [role=status]", "1 paused.");
  },
  async delete() {
    await button("Delete");
    await button("Delete 1 webhook");
    await shows(".cx-explorer [role=status]", "1 deleted.");
    await rows(5);
  },
  async audit() {
    await tab("Audit");
    await shows(".cx-rows", "Wildcard subscription");
  },
  async coverage() {
    await tab("Webhooks");
    await (await page.$(".cx-coverage-box summary")).click();
    await shows(".cx-coverage", "survey.submitted");
  },
};

let current = "";
try {
  for (const [name, step] of Object.entries(STEPS)) {
    current = name;
    await step();
    console.log(name);
  }
  if (errors.length) throw new Error(errors.join("\n"));
} catch (error) {
  console.error(`${current}: ${error.message}`);
  await page.screenshot({ path: `${screenshots}/walk-${kind}.png` });
  process.exitCode = 1;
} finally {
  await browser.close();
}
