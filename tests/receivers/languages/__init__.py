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
class Receiver:
    """A receiver that can be started.

    Args:
        file: Its file, below this folder.
        command: Starts it in the folder of the file; `{port}` is replaced.
        mistake: What people write instead of what is right.
        package: The Python module or npm package that it needs.
        nightly: Whether `make nightly` alone runs it, because it has to be compiled or downloaded.
    """

    file: str
    command: tuple[str, ...]
    mistake: dict[str, str]
    package: str = ""
    nightly: bool = False

    @property
    def missing(self) -> str | None:
        """What it needs and is not installed."""
        if not shutil.which(self.command[0]):
            return self.command[0]
        if self.file.startswith("python/"):
            installed = importlib.util.find_spec(self.package) is not None
        else:
            installed = (FOLDER / Path(self.file).parent / "node_modules" / self.package).exists() or not self.package
        return None if installed else self.package


def _python(framework: str, right: str, wrong: str) -> Receiver:
    file = f"{framework}_receiver.py"
    return Receiver(f"python/{file}", (sys.executable, file), {right: wrong}, framework)


RECEIVERS = [
    _python("flask", "request.get_data()", "json.dumps(request.get_json()).encode()"),
    _python("fastapi", "await request.body()", 'json.dumps(await request.json(), separators=(",", ":")).encode()'),
    _python("django", "request.body", "request.body.decode().strip().encode()"),
    _python("aiohttp", "await request.read()", "(await request.text()).strip().encode()"),
    Receiver("node/http_receiver.js", ("node", "http_receiver.js"), {"Buffer.concat(chunks)": 'chunks.join("")'}),
    Receiver(
        "node/express_receiver.js",
        ("node", "express_receiver.js"),
        {
            'express.raw({ type: () => true, limit: "2mb" })': "express.json()",
            "request.body ?? Buffer.alloc(0)": "JSON.stringify(request.body)",
        },
        "express",
        nightly=True,
    ),
    Receiver(
        "node/fastify_receiver.js",
        ("node", "fastify_receiver.js"),
        {
            "webhooks.removeAllContentTypeParsers();": "",
            'webhooks.addContentTypeParser("*", { parseAs: "buffer" }, (request, body, done) => done(null, body));': "",
            "request.body ?? Buffer.alloc(0)": "JSON.stringify(request.body)",
        },
        "fastify",
        nightly=True,
    ),
    Receiver(
        "go/receiver.go",
        ("go", "run", "."),
        {
            "w.WriteHeader(receive(body,": "var event any\n\tjson.Unmarshal(body, &event)\n"
            "\tbody, _ = json.Marshal(event)\n\tw.WriteHeader(receive(body,"
        },
        nightly=True,
    ),
    Receiver(
        "php/receiver.php",
        ("php", "-q", "-S", "127.0.0.1:{port}", "receiver.php"),
        {"file_get_contents('php://input')": "json_encode(json_decode(file_get_contents('php://input')))"},
    ),
    Receiver(
        "ruby/config.ru",
        ("rackup", "--quiet", "--env", "none", "--server", "webrick", "--host", "127.0.0.1", "--port", "{port}"),
        {"request.body.read": "JSON.generate(JSON.parse(request.body.read))"},
    ),
]


def break_copy(receiver: Receiver, folder: Path) -> Path:
    """Copies a receiver's folder, with the mistake in it."""
    original = FOLDER / Path(receiver.file).parent
    shutil.copytree(original, folder, ignore=shutil.ignore_patterns("node_modules", "__pycache__"))
    if (original / "node_modules").exists():
        (folder / "node_modules").symlink_to(original / "node_modules")
    file = folder / Path(receiver.file).name
    text = file.read_text(encoding="utf-8")
    for right, wrong in receiver.mistake.items():
        assert text.count(right) == 1
        text = text.replace(right, wrong)
    imports = "import json\n" if file.suffix == ".py" else ""
    file.write_text(imports + text, encoding="utf-8")
    return folder


@contextmanager
def running(receiver: Receiver, secret: str, acted: Path, folder: Path | None = None) -> Iterator[str]:
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
            [part.format(port=port) for part in receiver.command],
            cwd=folder or FOLDER / Path(receiver.file).parent,
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
