import os

from flask import Flask, request

import cstar_explore as cx

app = Flask(__name__)
known_ids = set()  # in your service, a table with a unique key
titles = []


@app.post("/hooks/cstar")
def receive():
    try:
        event = cx.verify(request.get_data(), request.headers, os.environ["CSTAR_WEBHOOK_SECRET"])
    except cx.errors.SignatureError:
        return "", 401
    if event["type"] == "ticket.created" and event["id"] not in known_ids:
        known_ids.add(event["id"])
        titles.append(event["data"]["ticket"]["title"])
    return "", 204
