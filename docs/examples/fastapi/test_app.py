import asyncio
import socket

import httpx
import pytest
import pytest_asyncio
import uvicorn
from app import app, titles

pytestmark = pytest.mark.asyncio


@pytest_asyncio.fixture
async def client():
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        yield client


async def test_a_ticket_is_stored(client, cstar_delivery):
    delivery = cstar_delivery("ticket.created", title="No paper")
    response = await client.post("/hooks/cstar", content=delivery.body, headers=delivery.headers)

    assert response.status_code == 204
    assert titles[-1] == "No paper"


async def test_a_forged_delivery_is_refused(client, cstar_delivery):
    forged = cstar_delivery("ticket.created", secret="whsec_of_somebody_else", title="Forged")
    response = await client.post("/hooks/cstar", content=forged.body, headers=forged.headers)

    assert response.status_code == 401
    assert "Forged" not in titles


@pytest_asyncio.fixture
async def url():
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_level="warning"))
    serving = asyncio.create_task(server.serve([listening]))
    yield f"http://127.0.0.1:{listening.getsockname()[1]}/hooks/cstar"
    server.should_exit = True
    await serving


async def test_a_forgery_is_refused_and_the_next_delivery_accepted(
    url, cstar_webhook, cstar_fire, cstar_sandbox, monkeypatch
):
    webhook = cstar_webhook(url)
    monkeypatch.setenv("CSTAR_WEBHOOK_SECRET", webhook.secret.reveal())
    cstar_sandbox.faults.wrong_signature()
    # The receiver answers in this event loop, so it must not wait here.
    refused = await asyncio.to_thread(cstar_fire, "ticket.created")
    accepted = await asyncio.to_thread(cstar_fire, "ticket.created")

    assert [delivery.status for delivery in refused.deliveries + accepted.deliveries] == [401, 204]
