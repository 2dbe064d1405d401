"""An API key and signing secrets are used in every way, and must not appear in any output or file."""

import json
import logging
import subprocess
import sys
import textwrap
from pathlib import Path

import nbformat
import pytest

import cstar_explore as cx

CELLS = (
    """
    import logging, sys
    logging.basicConfig(level=logging.DEBUG, filename="debug.log")
    import cstar_explore as cx
    from cstar_explore.api import retries
    retries.FIRST_PAUSE = retries.JITTER = 0.005
    sandbox = cx.Sandbox(path="sandbox.db")
    listener = sandbox.listener(path="captures.db")
    client = sandbox.client()
    hook = client.webhooks.create(name="Planted", url=listener.url, events=["ticket.created"])
    listener.trust(hook.secret)
    hook, client, listener, sandbox, hook.secret, client.key
    """,
    "form = cx.CreateForm(client, 'Second', listener.url, ['ticket.created'])\nform",
    "created = await form.submit()\ncreated",
    "edit = cx.EditForm(client, hook)\nedit.fields['name'].value = 'Renamed'\nawait edit.submit()",
    "fire = cx.FireForm(client, 'ticket.created')\nfired = await fire.submit()\nfired.to_frame()",
    "explorer = cx.Explorer(client, listener=listener)\nawait explorer.refresh()\nexplorer",
    "for tab in ('Create', 'Edit', 'Fire', 'Deliveries'):\n    explorer.open(tab)",
    "listener.to_frame().drop(columns=['headers', 'body'])",
    "print(cx.explain(listener[1].body, listener[1].headers, [hook.secret], now=listener[1].received_at))",
    "%xmode Verbose",
    "client.webhooks.get('whk_nope')",
    "sandbox.client(timeout=0.001).webhooks.create(name='x', url='https://example.com/', events='ticket.created')",
    "cx.Client(client.key, 'team', 'https://127.0.0.1:9').webhooks.list()",
    "cx.verify(b'{}', 't=1,v1=' + '0' * 64, hook.secret)",
    """
    import os, pandas as pd
    os.environ |= {"CSTAR_KEY": client.key.reveal(), "CSTAR_BASE_URL": sandbox.base_url}
    accounts = cx.Accounts(pd.DataFrame({"account": ["One", "Two"], "team_id": [sandbox.team_id] * 2,
        "key_env": ["CSTAR_KEY", "CSTAR_KEY_UNSET"], "base_url": [sandbox.base_url] * 2}))
    findings = cx.audit(accounts)
    findings.save("baseline.json")
    open("report.html", "w").write(findings.to_html())
    findings.to_csv("findings.csv")
    client.webhooks.list().to_csv("hooks.csv")
    findings, accounts, vars(findings)
    """,
    """
    plan = cx.plan(client, pd.DataFrame([{"name": "Planned", "url": listener.url, "events": "ticket.created"}]))
    plan.save("plan.json")
    applied = plan.apply()
    applied, applied[0], vars(plan), cx.Plan.load(client, "plan.json")
    """,
    "planned = cx.PlanForm(plan.invert())\nawait planned.submit()\nplanned.undo.click()\nawait planned.submit()\nplanned",
    "sandbox.faults.fail(times=99)\nplan.apply()",
    "sandbox.faults.clear()\nexplorer.open('Audit')\nawait explorer.audit.audit()\nexplorer.audit.__dict__",
    """
    import subprocess, sys
    from cstar_explore.cli import main
    for arguments in (["audit", "--format", "html"], ["audit", "--format", "json"], ["doctor"]):
        print(main(arguments))
    completed = subprocess.run([sys.executable, "-m", "cstar_explore.cli", "audit"], capture_output=True, text=True)
    print(completed.returncode, completed.stdout, completed.stderr)
    """,
    "%history",
    "%whos",
    "print(vars(hook) if hasattr(hook, '__dict__') else hook, client.__dict__, explorer.__dict__, form.__dict__)",
    "print([widget.get_state() for widget in __import__('ipywidgets').widgets.widget._instances.values()])",
)


CONVERT = """
from nbconvert.nbconvertapp import NbConvertApp
for arguments in ("notebook --execute --ExecutePreprocessor.store_widget_state=True --output done all.ipynb", "html done.ipynb"):
    NbConvertApp.launch_instance(["--log-level=DEBUG", "--to", *arguments.split()])
    NbConvertApp.clear_instance()
"""


@pytest.fixture(scope="module")
def notebook_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an executed notebook that does all of this, with stored widget state, and its HTML export."""
    folder = tmp_path_factory.mktemp("leaks")
    cells = [nbformat.v4.new_code_cell(textwrap.dedent(cell).strip()) for cell in CELLS]
    for cell in cells:
        cell.metadata["tags"] = ["raises-exception"]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), folder / "all.ipynb")
    completed = subprocess.run([sys.executable, "-c", CONVERT], cwd=folder, capture_output=True, check=True)
    (folder / "nbconvert.log").write_bytes(completed.stdout + completed.stderr)
    return folder


def secrets_of(folder: Path) -> list[str]:
    """The key that was used, and the signing secrets in the sandbox's database."""
    with cx.Sandbox(folder / "sandbox.db") as sandbox:
        secrets = [row[0] for row in sandbox._store.run("SELECT secret FROM webhooks")]
        return [sandbox.key.reveal(), *secrets]


def test_notebook_ran_as_intended(notebook_folder: Path) -> None:
    """It created, fired and received, failed in four ways, and stored widget state."""
    notebook = nbformat.read(notebook_folder / "done.ipynb", as_version=4)
    failed = [
        output["ename"]
        for cell in notebook.cells
        for output in cell.get("outputs", ())
        if output["output_type"] == "error"
    ]

    expected = {"NotFoundError", "UnreachableError", "SignatureError", "IncompleteError"}
    # A timeout of 1 ms raises one of two errors.
    assert expected <= set(failed) <= expected | {"OutcomeUnknownError", "ResponseTimeoutError"}
    assert notebook.metadata["widgets"]["application/vnd.jupyter.widget-state+json"]["state"]
    assert "Renamed" in json.dumps(notebook)
    assert all(
        (notebook_folder / name).stat().st_size > 100
        for name in ("baseline.json", "report.html", "plan.json", "hooks.csv", "done.html")
    )
    assert (notebook_folder / "debug.log").stat().st_size > 1000


def test_no_file_contains_the_key_or_a_signing_secret(notebook_folder: Path) -> None:
    """Notebook, export, widget state, verbose tracebacks, debug logs, captures. Only the sandbox's own database does."""
    secrets = secrets_of(notebook_folder)
    files = [path for path in notebook_folder.rglob("*") if path.is_file() and not path.name.startswith("sandbox.db")]

    assert len(files) >= 6
    assert [] == [path.name for path in files if any(secret.encode() in path.read_bytes() for secret in secrets)]


def test_debug_logs_of_httpx_and_uvicorn_contain_no_secret(
    caplog: pytest.LogCaptureFixture, sandbox: cx.Sandbox
) -> None:
    """Neither the key nor the signing secret."""
    with caplog.at_level(logging.DEBUG), sandbox.client() as client, sandbox.listener() as listener:
        webhook = client.webhooks.create(name="Debug", url=listener.url, events="ticket.created")
        listener.trust(webhook.secret)
        client.webhooks.trigger_test("ticket.created")

    assert len(caplog.records) > 10
    assert [] == [
        record
        for record in caplog.records
        if sandbox.key.reveal() in record.getMessage() or webhook.secret.reveal() in record.getMessage()
    ]
