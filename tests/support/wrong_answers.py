"""Typical wrong answers to the course's exercises, and words of what each check says of them."""

# Lesson, exercise: what a learner might write, and what has to stand in the check's answer.
WRONG: dict[tuple[str, str], tuple[str, str]] = {
    ("01_first_webhook", "exercise-1"): (
        'client.webhooks.create(name="finance", url="https://finance.example.com/cstar", events=["ticket.closed"])',
        "letter for letter",
    ),
    ("01_first_webhook", "exercise-3"): (
        'unheard = set(cx.events.NAMES) - set(client.webhooks.list().subscriptions()["event"])',
        "A wildcard stands for every event of its kind",
    ),
    ("01_first_webhook", "exercise-2"): (
        'slack = client.webhooks.list()[0]\nclient.webhooks.update(slack.id, events=["ticket.message_added"])',
        "an update replaces the events as a whole",
    ),
    ("02_receive_and_verify", "exercise-1"): (
        (
            "import hashlib\nimport hmac\n\n\n"
            "def genuine(body, header, secret, now):\n"
            "    expected = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()\n"
            '    return header.split("v1=")[1] == expected'
        ),
        "the digest of the body alone",
    ),
    ("02_receive_and_verify", "exercise-2"): (
        "proxied = next(request.id for request in listener.requests(newest=3) if request.cause == 'no_match')",
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
        "Remember an event after its work is done, not before",
    ),
    ("03_failures_and_retries", "exercise-2"): ("attempt = 5", "the receiver is still down"),
    ("03_failures_and_retries", "exercise-3"): (
        'lost = outage.query("answered == 503").drop_duplicates("event_id")',
        "was accepted after all",
    ),
    ("04_audit", "exercise-1"): (
        "decided = '''\n[[ignore]]\nrule = \"tunnel_host\"\naccount = \"North\"\nreason = \"Agreed.\"\nuntil = 2026-01-01\n'''",
        "of 'Forward to my laptop' is set aside too",
    ),
    ("04_audit", "exercise-2"): (
        (
            "import pandas as pd\n\n"
            "desired = pd.DataFrame(\n"
            "    [\n"
            '        {"id": of_lab["Playground"].id, "events": "survey.submitted"},\n'
            '        {"id": of_lab["Playground 2"].id, "delete": True},\n'
            "    ]\n"
            ")"
        ),
        "the events are replaced as a whole",
    ),
    ("04_audit", "exercise-3"): ('moved = "Desk"', "on the same host"),
    ("05_going_live", "exercise-1"): (
        (
            "def rotate(client, webhook_id, trust):\n"
            "    old = client.webhooks.get(webhook_id)\n"
            "    client.webhooks.delete(old.id)\n"
            "    trust(client.webhooks.create(name=old.name, url=old.url, events=old.events).secret)"
        ),
        "reached nobody, and is lost",
    ),
    ("05_going_live", "exercise-2"): ('mended = {**broken, "CSTAR_TEAM_ID": "team_north"}', "Doctor still finds"),
}
