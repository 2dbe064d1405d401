"""A typical wrong answer to each exercise of the course, and part of the check's message."""

# (lesson, exercise): (code that a learner might write, text that the message must contain)
WRONG_ANSWERS: dict[tuple[str, str], tuple[str, str]] = {
    ("01_first_webhook", "exercise-1"): (
        'client.webhooks.create(name="finance", url="https://finance.example.com/cstar", events=["ticket.closed"])',
        "No webhook is named exactly 'Finance'.",
    ),
    ("01_first_webhook", "exercise-3"): (
        (
            "subscribed = {name for webhook in client.webhooks.list() for name in webhook.events}\n"
            "events_without_receiver = set(cx.events.NAMES) - subscribed"
        ),
        "A wildcard matches every event of its resource",
    ),
    ("01_first_webhook", "exercise-2"): (
        'slack = client.webhooks.list()[0]\nclient.webhooks.update(slack.id, events=["ticket.message_added"])',
        "an update replaces all events",
    ),
    ("02_receive_and_verify", "exercise-1"): (
        (
            "import hashlib\nimport hmac\n\n\n"
            "def is_genuine(body, header, secret, now):\n"
            "    expected = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()\n"
            '    return header.split("v1=")[1] == expected'
        ),
        "You sign the body alone",
    ),
    ("02_receive_and_verify", "exercise-2"): (
        "proxied_id = next(request.id for request in listener.requests(newest=3) if request.cause == 'no_match')",
        "it was signed with another secret",
    ),
    ("02_receive_and_verify", "exercise-3"): (
        (
            'TEST_SECRET = "whsec_not-a-real-one"\n\n'
            'header = cx.sign(cx.events.sample("ticket.created"), TEST_SECRET)\n'
            'body = cx.events.sample("ticket.created", title="Fire!")'
        ),
        "It does not verify.",
    ),
    ("03_failures_and_retries", "exercise-1"): (
        (
            "def handle(event, seen, mail):\n"
            '    if event["id"] not in seen:\n'
            '        seen.add(event["id"])\n'
            '        mail(event["data"]["ticket"]["title"])'
        ),
        "Add the ID after the mail is sent, not before",
    ),
    ("03_failures_and_retries", "exercise-2"): ("attempt = 5", "while the receiver is still down"),
    ("03_failures_and_retries", "exercise-3"): (
        'lost = outage.query("answered == 503").drop_duplicates("event_id")',
        "was accepted in the end",
    ),
    ("04_audit", "exercise-1"): (
        (
            "settings_text = '''\n[[ignore]]\n"
            'rule = "tunnel_host"\naccount = "North"\nreason = "Agreed."\nuntil = 2026-01-01\n'
            "'''"
        ),
        "also ignores tunnel_host for 'Forward to my laptop'",
    ),
    ("04_audit", "exercise-2"): (
        (
            "import pandas as pd\n\n"
            "desired = pd.DataFrame(\n"
            "    [\n"
            '        {"id": lab_webhooks["Playground"].id, "events": "survey.submitted"},\n'
            '        {"id": lab_webhooks["Playground 2"].id, "delete": True},\n'
            "    ]\n"
            ")"
        ),
        "the new events replace the old ones",
    ),
    ("04_audit", "exercise-3"): ('moved = "Desk"', "on the same host"),
    ("05_going_live", "exercise-1"): (
        (
            "def rotate(client, webhook_id, trust):\n"
            "    old = client.webhooks.get(webhook_id)\n"
            "    client.webhooks.delete(old.id)\n"
            "    trust(client.webhooks.create(name=old.name, url=old.url, events=old.events).secret)"
        ),
        "has no receiver and is lost",
    ),
    ("05_going_live", "exercise-2"): ('fixed = {**broken, "CSTAR_TEAM_ID": "team_north"}', "Doctor still reports"),
}
