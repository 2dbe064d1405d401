import os

from fastapi import FastAPI, HTTPException, Request

import cstar_explore as cx

app = FastAPI()
known_ids = set()  # in your service, a table with a unique key
titles = []


@app.post("/hooks/cstar", status_code=204)
async def receive(request: Request):
    try:
        event = cx.verify(await request.body(), request.headers, os.environ["CSTAR_WEBHOOK_SECRET"])
    except cx.errors.SignatureError:
        raise HTTPException(401) from None
    if event["type"] == "ticket.created" and event["id"] not in known_ids:
        known_ids.add(event["id"])
        titles.append(event["data"]["ticket"]["title"])
