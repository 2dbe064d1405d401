"""A real JupyterLab and a real Chromium for the browser tests.

All files of JupyterLab and its kernels (settings, workspaces, history, runtime files, logs) are in one folder, so a test can
search them for a secret.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
import nbformat
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

SCREENSHOTS = Path(__file__).parents[2] / "build" / "screenshots"
PATIENCE = 30_000  # milliseconds; a kernel starts slowly on a busy machine


@contextmanager
def chromium() -> Iterator[Browser]:
    """Starts the Chromium at `CHROMIUM`, else Debian's, else Playwright's."""
    path = os.environ.get("CHROMIUM") or shutil.which("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"],
        )
        yield browser
        browser.close()


class Lab:
    """JupyterLab as started by `cstar-explore lab`, with all its files in `home`."""

    def __init__(self, home: Path, *, save_state: bool = False) -> None:
        self.home = home
        self.folder = home / "notebooks"
        self.folder.mkdir(parents=True)
        self._settings("@jupyter-widgets/jupyterlab-manager", "plugin", {"saveState": save_state})
        # Keeps all cells in the page, so a test finds them without scrolling.
        self._settings("@jupyterlab/notebook-extension", "tracker", {"windowingMode": "none"})
        folders = {
            "HOME": home,
            "IPYTHONDIR": home / "ipython",
            "JUPYTER_CONFIG_DIR": home / "config",
            "JUPYTER_DATA_DIR": home / "data",
            "JUPYTER_RUNTIME_DIR": home / "runtime",
            "JUPYTERLAB_SETTINGS_DIR": home / "settings",
            "JUPYTERLAB_WORKSPACES_DIR": home / "workspaces",
        }
        self._log = (home / "lab.log").open("w")
        self._process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "cstar_explore.cli",
                "lab",
                "--folder",
                str(self.folder),
                "--no-browser",
                "--port",
                "0",
            ],
            env={**os.environ, **{name: str(path) for name, path in folders.items()}},
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )
        self.url, self.token = self._address()

    def _address(self) -> tuple[str, str]:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            match = re.search(
                r"JupyterLab is ready: (http://localhost:\d+)/lab\S*\?token=(\w+)", (self.home / "lab.log").read_text()
            )
            if match:
                return match[1], match[2]
            assert self._process.poll() is None, (self.home / "lab.log").read_text()
            time.sleep(0.1)
        raise TimeoutError("JupyterLab did not print its address within 60 seconds")

    def end_kernels(self) -> None:
        """Ends the kernels, as `Shut Down All Kernels` does."""
        with httpx.Client(base_url=self.url, headers={"Authorization": f"token {self.token}"}) as client:
            for session in client.get("/api/sessions").json():
                client.delete(f"/api/sessions/{session['id']}").raise_for_status()

    def close(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:  # it is restarting a kernel
            self._process.kill()
            self._process.wait(timeout=10)
        self._log.close()

    def write(self, notebook: str, cells: Sequence[str]) -> None:
        """Writes a notebook with these code cells to the folder."""
        document = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
        document.metadata["kernelspec"] = {"display_name": "Python 3", "language": "python", "name": "python3"}
        nbformat.write(document, self.folder / notebook)

    def open(self, browser: Browser, notebook: str, *, theme: str = "light") -> "Notebook":
        """Opens a notebook of the folder in a new page."""
        self._settings("@jupyterlab/apputils-extension", "themes", {"theme": f"JupyterLab {theme.title()}"})
        page = browser.new_page(viewport={"width": 1280, "height": 1400})
        opened = Notebook(page, f"{self.url}/lab/tree/{notebook}?reset&token={self.token}")
        self._wait_for_kernel(page)
        return opened

    def _wait_for_kernel(self, page: Page) -> None:
        """Waits until the page is connected to its kernel. Before that, running a cell opens the kernel chooser."""
        deadline = time.monotonic() + PATIENCE / 1000
        while time.monotonic() < deadline:
            response = page.request.get(f"{self.url}/api/kernels?token={self.token}")
            kernels = response.json() if response.ok else []  # the server may be busy starting one
            if any(kernel["connections"] and kernel["execution_state"] == "idle" for kernel in kernels):
                page.wait_for_timeout(300)
                return
            page.wait_for_timeout(100)
        raise TimeoutError("No kernel became ready within 30 seconds")

    def _settings(self, extension: str, plugin: str, values: dict[str, object]) -> None:
        folder = self.home / "settings" / extension
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{plugin}.jupyterlab-settings").write_text(json.dumps(values))

    def files_holding(self, *secrets: str) -> list[Path]:
        """All files in `home` that contain any of these strings."""
        files = [path for path in self.home.rglob("*") if path.is_file()]
        return [path for path in files if any(secret.encode() in path.read_bytes() for secret in secrets)]


class Notebook:
    """A notebook open in JupyterLab. Collects JavaScript dialogs and page errors."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.dialogs: list[str] = []
        self.errors: list[str] = []
        page.on("dialog", lambda dialog: (self.dialogs.append(dialog.message), dialog.dismiss()))
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.goto(url)
        expect(page.locator(".jp-NotebookPanel .jp-Cell").first).to_be_visible(timeout=PATIENCE)

    def run_all(self, patience: int = PATIENCE) -> None:
        self.page.get_by_role("menuitem", name="Run", exact=True).click()
        self.page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
        self.page.wait_for_timeout(300)  # until the prompts show that the cells are running
        self.wait_until_idle(patience)

    def run_cell(self, containing: str) -> None:
        """Runs the last cell that contains this code, with Shift+Enter."""
        cell = (
            self.page.locator(".jp-CodeCell")
            .filter(has=self.page.locator(".jp-InputArea-editor", has_text=containing))
            .last
        )
        cell.locator(".cm-content").click()
        self.page.keyboard.press("Shift+Enter")
        self.page.wait_for_timeout(300)  # until the prompt shows that the cell is running
        self.wait_until_idle()

    def wait_until_idle(self, patience: int = PATIENCE) -> None:
        expect(self.page.locator("[data-status='idle']").first).to_be_attached(timeout=patience)
        expect(self.page.locator(".jp-InputArea-prompt", has_text="[*]")).to_have_count(0, timeout=patience)

    def form(self, heading: str) -> Locator:
        """The last form with this heading."""
        return self.page.locator(".cx-form").filter(has=self.page.get_by_role("heading", name=heading)).last

    def save(self) -> None:
        self.page.keyboard.press("Control+s")
        expect(self.page.locator(".jp-mod-dirty")).to_have_count(0, timeout=PATIENCE)

    def screenshot(self, name: str, of: Locator | None = None) -> None:
        """Saves a screenshot in `build/screenshots`."""
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        (of or self.page).screenshot(path=SCREENSHOTS / f"{name}.png")


# JavaScript that returns the texts whose WCAG contrast with the nearest opaque background is below 4.5:1.
LOW_CONTRAST = """form => {
  const parse = color => (color.match(/[\\d.]+/g) || [0, 0, 0, 0]).map(Number);
  const luminance = ([r, g, b]) => [r, g, b].map(v => v / 255).map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
  const background = node => {
    for (let parent = node; parent; parent = parent.parentElement) {
      const color = parse(getComputedStyle(parent).backgroundColor);
      if (color.length === 3 || color[3] === 1) return color;
    }
    return [255, 255, 255];
  };
  const low = [];
  for (const node of form.querySelectorAll("*")) {
    const hasText = [...node.childNodes].some(child => child.nodeType === 3 && child.textContent.trim()) || node.tagName === "INPUT";
    if (!hasText || !node.checkVisibility()) continue;
    const [a, b] = [luminance(parse(getComputedStyle(node).color)), luminance(background(node))].sort((x, y) => y - x);
    const ratio = (a + .05) / (b + .05);
    if (ratio < 4.5) low.push(`${node.tagName}.${node.className} '${node.textContent.slice(0, 30)}' ${ratio.toFixed(2)}`);
  }
  return low;
}"""
