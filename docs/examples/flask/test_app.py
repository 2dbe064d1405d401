from threading import Thread

import pytest
from app import app, titles
from werkzeug.serving import make_server


def test_a_ticket_is_stored(cstar_delivery):
    delivery = cstar_delivery("ticket.created", title="No paper")
    response = app.test_client().post("/hooks/cstar", data=delivery.body, headers=delivery.headers)

    assert response.status_code == 204
    assert titles[-1] == "No paper"


def test_a_forged_delivery_is_refused(cstar_delivery):
    forged = cstar_delivery("ticket.created", secret="whsec_of_somebody_else", title="Forged")
    response = app.test_client().post("/hooks/cstar", data=forged.body, headers=forged.headers)

    assert response.status_code == 401
    assert "Forged" not in titles


@pytest.fixture
def url():
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.port}/hooks/cstar"
    server.shutdown()
    thread.join()
    server.server_close()


def test_an_event_that_is_delivered_twice_is_stored_once(url, cstar_webhook, cstar_fire, cstar_sandbox, monkeypatch):
    webhook = cstar_webhook(url, events="ticket.*")
    monkeypatch.setenv("CSTAR_WEBHOOK_SECRET", webhook.secret.reveal())
    cstar_sandbox.faults.duplicate()
    before = len(titles)
    fired = cstar_fire("ticket.created")

    assert [delivery.status for delivery in fired.deliveries] == [204]
    assert len(titles) == before + 1
