"""Receivers in other frameworks and languages, as `docs/raw_body.md` shows them, and how to start them.

Each reads WEBHOOK_SECRET, PORT and ACTED_FILE from its environment, and adds the id of each event that it acts on to ACTED_FILE.
The mistakes that people make are applied to copies of these files.
"""

import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent
START_TIMEOUT = 30  # seconds; Go compiles first


@dataclass(frozen=True)
class Language:
    """A receiver that can be started.

    Args:
        file: Its file, below this folder.
        command: Starts it in the folder of the file; `{port}` is replaced.
        needs: What has to be installed: commands, and Python modules, or folders in node_modules, with a dot in front.
        right: The code that gets the raw body.
        wrong: What people write instead.
        slow: Whether it runs at night only, because it has to be compiled or to be downloaded.
    """

    file: str
    command: tuple[str, ...]
    needs: tuple[str, ...]
    right: str
    wrong: str
    slow: bool = False

    @property
    def name(self) -> str:
        return Path(self.file).stem

    def missing(self) -> str | None:
        """What of its needs is not installed."""
        folder = FOLDER / Path(self.file).parent
        for need in self.needs:
            module = need.removeprefix(".")
            if need == module:
                found: object = shutil.which(need)
            elif folder.name == "python":
                found = importlib.util.find_spec(module)
            else:
                found = (folder / "node_modules" / module).exists()
            if not found:
                return need
        return None


def _python(framework: str, right: str, wrong: str) -> Language:
    file = f"{framework}_receiver.py"
    return Language(f"python/{file}", (sys.executable, file), (f".{framework}",), right, wrong)


def _node(file: str, right: str, wrong: str, *packages: str) -> Language:
    needs = ("node", *(f".{package}" for package in packages))
    return Language(f"node/{file}", ("node", file), needs, right, wrong, slow=bool(packages))


LANGUAGES = [
    _python("flask", "request.get_data()", "json.dumps(request.get_json()).encode()"),
    _python("fastapi", "await request.body()", 'json.dumps(await request.json(), separators=(",", ":")).encode()'),
    _python("django", "request.body", "request.body.decode().strip().encode()"),
    _python("aiohttp", "await request.read()", "(await request.text()).strip().encode()"),
    _node("http_receiver.js", "Buffer.concat(chunks)", 'chunks.join("")'),
    _node(
        "express_receiver.js",
        'express.raw({ type: () => true, limit: "2mb" }), (request, response) => {\n'
        "  const body = request.body ?? Buffer.alloc(0);",
        "express.json(), (request, response) => {\n  const body = JSON.stringify(request.body);",
        "express",
    ),
    _node(
        "fastify_receiver.js",
        '  webhooks.removeAllContentTypeParsers();\n  webhooks.addContentTypeParser("*", { parseAs: "buffer" }, '
        '(request, body, done) => done(null, body));\n  webhooks.post("/hook", (request, reply) => {\n'
        "    const body = request.body ?? Buffer.alloc(0);",
        '  webhooks.post("/hook", (request, reply) => {\n    const body = JSON.stringify(request.body);',
        "fastify",
    ),
    Language(
        "go/receiver.go",
        ("go", "run", "."),
        ("go",),
        "body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 2<<20))",
        "body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 2<<20))\n"
        "\tvar event any\n\tjson.Unmarshal(body, &event)\n\tbody, _ = json.Marshal(event)",
        slow=True,
    ),
    Language(
        "php/receiver.php",
        ("php", "-q", "-S", "127.0.0.1:{port}", "receiver.php"),
        ("php",),
        "file_get_contents('php://input')",
        "json_encode(json_decode(file_get_contents('php://input')))",
    ),
    Language(
        "ruby/config.ru",
        ("rackup", "--quiet", "--env", "none", "--server", "webrick", "--host", "127.0.0.1", "--port", "{port}"),
        ("rackup",),
        "request.body.read",
        "JSON.generate(JSON.parse(request.body.read))",
    ),
]


def break_copy(language: Language, folder: Path) -> Path:
    """Copies a receiver's folder, with the mistake in it."""
    original = FOLDER / Path(language.file).parent
    shutil.copytree(original, folder, ignore=shutil.ignore_patterns("node_modules", "__pycache__"))
    if (original / "node_modules").exists():
        (folder / "node_modules").symlink_to(original / "node_modules")
    file = folder / Path(language.file).name
    text = file.read_text(encoding="utf-8")
    assert text.count(language.right) == 1
    imports = "import json\n" if file.suffix == ".py" else ""
    file.write_text(imports + text.replace(language.right, language.wrong), encoding="utf-8")
    return folder


@contextmanager
def running(language: Language, secret: str, acted: Path, folder: Path | None = None) -> Iterator[str]:
    """Starts a receiver, waits until it listens, and yields its URL. Ends it and its children afterwards."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {
        "WEBHOOK_SECRET": secret,
        "PORT": str(port),
        "ACTED_FILE": str(acted),
        "PHP_CLI_SERVER_WORKERS": "4",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    with Path(f"{acted}.log").open("w+") as log:
        process = subprocess.Popen(
            [part.format(port=port) for part in language.command],
            cwd=folder or FOLDER / Path(language.file).parent,
            env=os.environ | environment,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            _wait_until_listening(port, process, Path(log.name))
            yield f"http://127.0.0.1:{port}/hook"
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _wait_until_listening(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.02)
    raise AssertionError(f"The receiver did not start: {log.read_text(errors='replace')[-1000:]}")
