"""Delivery URLs of real providers with false secrets, and as many URLs without secrets.

The shapes are those of the providers' documentation; every secret is made up. `{…}` marks what must not be shown.
"""

import re

# Short and long, with and without digits: no form by which a secret could be recognised.
WITH_SECRETS: dict[str, str] = {
    # Automation
    "Zapier": "https://hooks.zapier.com/hooks/catch/1234567/{3qrxwzk}/",
    "Zapier, silent": "https://hooks.zapier.com/hooks/catch/7654321/{bqxzwv}/silent/",
    "Make": "https://hook.eu1.make.com/{k3v9xq2jzw7fyt5hgb8mpr4nlc6sda1u}",
    "Make, letters": "https://hook.us1.make.com/{kvxqjzwfythgbmprnlcsdauo}",
    "n8n": "https://n8n.example.com/webhook/{5b0e6f5c-0d7e-4a8d-9a3e-0f6c1f2b7a90}",
    "n8n test": "https://acme.app.n8n.cloud/webhook-test/{9d1c2a3b-44f5-4c6d-8e7f-a0b1c2d3e4f5}/orders",
    "Pipedream": "https://{eoqw3xzkvb8tnfm}.m.pipedream.net/",
    "Pipedream, letters": "https://{enqwxzkvbtnfmyr}.m.pipedream.net/in",
    "IFTTT": "https://maker.ifttt.com/trigger/ticket_created/with/key/{bXk9-QzvRtYw}",
    "IFTTT, letters": "https://maker.ifttt.com/trigger/ticket/json/with/key/{cQxzvRtYwBnMk}",
    "Workato": "https://webhooks.workato.com/webhooks/rest/{b1f0c6e2-7d7e-4b0f-9a53-c8d9f1b6a3e4}/orders",
    "Tray": "https://{3f2b8c1d-9e4a-4f6b-8a7c-1d2e3f4a5b6c}.trayapp.io",
    "Power Automate": (
        "https://prod-27.westeurope.logic.azure.com:443/workflows/{4f0d9e8c7b6a4d3e8f1a2b3c4d5e6f70}/triggers/manual/paths/invoke"
        "?api-version=2016-06-01&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig={xQ7zVw-K3jRtB_nMfYhG}"
    ),
    "Power Platform": (
        "https://default0a1b2c3d.12.environment.api.powerplatform.com/powerautomate/automations/direct/workflows/"
        "{9b8a7c6d5e4f}/triggers/manual/paths/invoke?api-version=1&sig={qZxWvKjRt}"
    ),
    "Parabola": "https://parabola.io/api/hooks/{qxzvwk}",
    "Activepieces": "https://cloud.activepieces.com/api/v1/webhooks/{Qz7xWvKj3RtBnMf}",
    "Retool": "https://acme.retool.com/v1/workflows/{6a7b8c9d-0e1f-4a2b-9c3d-4e5f6a7b8c9d}/startTrigger?workflowApiKey={retool_wk_qzxv}",
    # Chat
    "Slack": "https://hooks.slack.com/services/T0QZX12AB/B0WVK34CD/{aQxZvWkJrTbNmFyHgLpSdUoI}",
    "Slack, short": "https://hooks.slack.com/services/T0QZX12AB/B0WVK34CD/{qZxv}",
    "Slack workflow": "https://hooks.slack.com/workflows/T0QZX12AB/A0WVK34CD/123456789012345678/{qZxvWkJrTbNm}",
    "Slack trigger": "https://hooks.slack.com/triggers/T0QZX12AB/1234567890123/{0a9f8e7dqzxvwkjr}",
    "Slack app token": "https://relay.example.com/in?app={xapp-1-QZXVWK-JRTBNM}",
    "Slack bot token": "https://relay.example.com/in?who={xoxb-qzxvwkjr-tbnmfyhg}",
    "Slack GovCloud": "https://hooks.slack-gov.com/services/T0QZX12AB/B0WVK34CD/{QZXVwkjrTBNM}",
    "Discord": "https://discord.com/api/webhooks/112233445566778899/{qZ-xV_wKjRtBnMfYhGlPsDuOiEaCq0918273645}",
    "Discord for Slack": "https://discord.com/api/webhooks/112233445566778899/{qZxVwKjRt}/slack",
    "Teams connector": (
        "https://acme.webhook.office.com/webhookb2/{0a1b2c3d-1111-4222-8333-444455556666@99998888-7777-4666-8555-444433332222}"
        "/IncomingWebhook/{qzxvwkjrtbnmfyhglpsduoieac}/{aaaa1111-bb22-4c33-8d44-eeee5555ffff}"
    ),
    "Teams, old": "https://outlook.office.com/webhook/{0a1b2c3d@99998888}/IncomingWebhook/{qzxvwkj}/{aaaa1111}",
    "Google Chat": "https://chat.googleapis.com/v1/spaces/AAAAqzxvwkj/messages?key={AIzaQzXvWkJrTbNmFyHgLpSdUoIeAc}&token={qZxVwKjRt%3D}",
    "Mattermost": "https://chat.example.com/hooks/{qzxvwkjrtbnmfyhglpsduoieac}",
    "Rocket.Chat": "https://chat.example.com/hooks/{QzXvWkJr}/{tBnMfYhGlPsDuOiEaC}",
    "Telegram": "https://api.telegram.org/bot{123456789:QZxvWkJrTbNmFyHgLpSd}/sendMessage",
    "Webex": "https://webexapis.com/v1/webhooks/incoming/{Y2lzY29zcGFyazovL3VzL1dFQkhPT0s}",
    "Zulip": "https://acme.zulipchat.com/api/v1/external/slack?api_key={qzxvwkjrtbnm}&stream=alerts",
    "Lark": "https://open.larksuite.com/open-apis/bot/v2/hook/{5d4c3b2a-qzxv-wkjr}",
    "DingTalk": "https://oapi.dingtalk.com/robot/send?access_token={qzxvwkjrtbnm}",
    "WeCom": "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key={693axxx6-7aoc-4bc4-97a0-0ec2sifa5aaa}",
    # Operations
    "PagerDuty integration": "https://events.pagerduty.com/integration/{0123qzxv4567wkjr89}/enqueue",
    "Datadog": "https://app.datadoghq.com/intake/webhook/cstar?api_key={qzxvwkjrtbnmfyhg}",
    "Datadog, EU": "https://http-intake.logs.datadoghq.eu/api/v2/logs?dd-api-key={QZXVWKJR}&ddsource=cstar",
    "New Relic": "https://log-api.newrelic.com/log/v1?Api-Key={QZXVWKJR-NRAL}",
    "Splunk": "https://http-inputs-acme.splunkcloud.com/services/collector/raw?channel=FE0ECFAD&token={qzxv-wkjr}",
    "Opsgenie": "https://api.opsgenie.com/v1/json/integrations/webhooks/datadog?apiKey={qzxvwkjr}",
    "VictorOps": "https://alert.victorops.com/integrations/generic/20131114/alert/{qzxvwkjr-tbnm}/support",
    "Sentry": "https://sentry.io/api/hooks/release/builtin/1234567/{qzxvwkjrtbnm}/",
    "Grafana OnCall": "https://oncall-prod-eu.grafana.net/oncall/integrations/v1/webhook/{QzXvWkJrTbNm}/",
    "Healthchecks": "https://hc-ping.com/{QzXvWkJrTbNmFyHgLp}/cstar",
    "Dead Man's Snitch": "https://nosnch.in/{qz12xv34wk}",
    "Loggly": "https://logs-01.loggly.com/inputs/{qzxv-wkjr-tbnm}/tag/http/",
    "Sumo Logic": "https://endpoint4.collection.sumologic.com/receiver/v1/http/{ZaVnC4dhaV2qzxvwkjr}",
    "Papertrail": "https://logs.collector.solarwinds.com/v1/log?auth={qzxvwkjr}",
    # Clouds
    "Azure Function": "https://acme-orders.azurewebsites.net/api/orders?code={qZxVwKjRtBnM-fYhG==}",
    "Azure Event Grid": "https://acme.westeurope-1.eventgrid.azure.net/api/events?aeg-sas-key={qZxVwKjRt}",
    "Azure Service Bus": "https://acme.servicebus.windows.net/orders/messages?sr=acme&sig={qZxV%2FwKjRt%3D}&se=1735689600&skn=send",
    "Azure Blob": "https://acme.blob.core.windows.net/logs/orders.json?sv=2022-11-02&sp=w&sig={qzxvWKJR}",
    "AWS, presigned": (
        "https://acme.s3.eu-west-1.amazonaws.com/orders?X-Amz-Credential={AKIAQZXVWKJRTBNM%2F20250101%2Feu-west-1}"
        "&X-Amz-Signature={0a1b2c3dqzxv}&X-Amz-Security-Token={IQoJqzxv}"
    ),
    "AWS API Gateway": "https://api.example.com/prod/hook?x-api-key={QzXvWkJr}",
    "AWS SNS": "https://sns.eu-west-1.amazonaws.com/?Action=Publish&AWSAccessKeyId={AKIAQZXVWKJRTBNMFY}&Signature={qzxv}",
    "GCP Function": "https://europe-west1-acme.cloudfunctions.net/orders?key={qzxvwkjr}",
    "GCP Pub/Sub push": "https://acme-abc-ew.a.run.app/push?token={qzxvwkjr}",
    "Application Integration": "https://integrations.googleapis.com/v2/projects/acme/triggers/api_trigger/orders:execute?key={AIzaqzxvwkjrtbnmfyhglpsd}",
    "Heroku": "https://acme-hooks.herokuapp.com/cstar/{s3cr3tqzxv}",
    "Heroku, user": "https://{cstar:qzxvwkjr}@acme-hooks.herokuapp.com/in",
    "Vercel deploy hook": "https://api.vercel.com/v1/integrations/deploy/{prj_QzXvWkJr}/{TbNmFyHg}",
    "Netlify build hook": "https://api.netlify.com/build_hooks/{5f4e3d2c1bqzxvwkjr}",
    "Cloudflare Worker": "https://hooks.acme.workers.dev/cstar?secret={qzxv}",
    "Supabase": "https://qzabcdefgh.supabase.co/functions/v1/orders?apikey={eyJqzxvwkjr.eyJtbnmfyhg.qzxvwkjrtb}",
    # Developer tools
    "GitHub user": "https://{ghp_QzXvWkJrTbNmFyHgLpSdUoIe0123}@api.github.com/repos/acme/orders/dispatches",
    "GitLab trigger": "https://gitlab.com/api/v4/projects/42/trigger/pipeline?token={glptt-qzxvwkjrtbnm}&ref=main",
    "Jenkins": "https://ci.example.com/generic-webhook-trigger/invoke?token={qzxv}",
    "Jira Automation": "https://automation.atlassian.com/pro/hooks/{0a1bqzxvwkjrtbnmfyhg}",
    "Bitbucket": "https://bitbucket.org/site/oauth2/access_token/{qzxvwkjr}",
    "Hookdeck": "https://hkdk.events/{qzxvwkjr0t}",
    "Svix Play": "https://play.svix.com/in/{e_QzXvWkJrTbNm}/",
    "webhook.site": "https://webhook.site/{0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d}",
    "webhook.site, host": "https://{0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d}.webhook.site/in",
    # Business
    "Airtable": "https://hooks.airtable.com/workflows/v1/genericWebhook/{appQzXvWkJr}/{wflTbNmFyHg}/{wtrLpSdUoIe}",
    "Notion": "https://relay.example.com/notion?integration_token={secret_qzxv}",
    "Monday": "https://relay.example.com/monday?authorization={qzxvwkjr}",
    "HubSpot": "https://api.hubapi.com/automation/v4/webhook-triggers/1234567/{QzXvWk}",
    "Salesforce": "https://{support%40acme.example:qzxv}@acme.my.salesforce.com/services/apexrest/cstar",
    "Zendesk": "https://acme.zendesk.com/hooks/cstar?x-zendesk-signature={qzxvwk}",
    "Shopify": "https://{shppa-key:shpss_qzxvwkjr}@acme.myshopify.com/admin/api/2025-01/orders.json",
    "Stripe key": "https://relay.example.com/stripe/{sk_live_QzXvWkJrTbNmFyHgLpSd}",
    # Usual and less usual ways to add a credential
    "path parameter": "https://in.example.com/in;token={qzxvwkjr}",
    "path parameter after a segment": "https://in.example.com/in;v=1;session={qzxv}/orders",
    "brackets": "https://in.example.com/in?auth[token]={qzxv}",
    "encoded brackets": "https://in.example.com/in?auth%5Btoken%5D={qzxv}",
    "semicolons": "https://in.example.com/in?x=1;token={qzxv}",
    "after its name": "https://in.example.com/token/{qzxv}",
    "a word after its name": "https://in.example.com/secret/{orders}",
    "pair in the path": "https://in.example.com/key={qzxv}/in",
    "passphrase": "https://in.example.com/in?passphrase={correct%20horse%20battery}",
    "pin": "https://in.example.com/in?pin={4711}",
    "encoded name": "https://in.example.com/in?%74oken={qzxv}",
    "fragment": "https://in.example.com/in#access_token={qzxv}",
    "bare query": "https://in.example.com/in?{qzxvwkjr}",
    "secret as a name": "https://in.example.com/in?{qzxvwkjr}=1",
    "URL in a parameter": "https://in.example.com/in?next=https%3A%2F%2F{user%3Aqzxv}%40host.example",
    "words in capitals": "https://in.example.com/in/{QZXVorders}",
    "no scheme": "{ada:qzxv}@in.example.com/hook?token={qzxv}",
    "invalid port": "https://in.example.com:port/hook/{qzxvwkjr}",
    "in brackets that do not close": "https://{ada:qzxv}@[::1/{wkjrtbnm}",
}

WITHOUT_SECRETS = """
https://hooks.example.com/in
https://hooks.example.com/cstar
https://hooks.example.com/webhooks/cstar
https://api.example.com/v1/webhooks/tickets
https://api.example.com/v2/events/incoming
https://api.example.com/v2.1/events/ticket-created
https://example.com/api/webhooks/cstar/tickets
https://support.example.com/integrations/cstar/callback
https://crm.example.com/hooks/customers/sync
https://crm.example.com/hooks/contacts?source=cstar
https://erp.example.com/rest/v3/inbound/orders
https://shop.example.com/wp-json/cstar/v1/webhook
https://shop.example.com/index.php?route=webhook/cstar
https://www.example.com/services/hooks/inbound.php
https://example.com/cgi-bin/notify.cgi
https://example.com/Services/Notifications.asmx/Receive
https://functions.example.com/api/HandleTicket
https://functions.example.com/api/ticketCreated
https://acme.azurewebsites.net/api/tickets
https://europe-west1-acme.cloudfunctions.net/onTicketCreated
https://acme.execute-api.eu-west-1.amazonaws.com/prod/tickets
https://acme-hooks.herokuapp.com/webhooks/inbound
https://acme.vercel.app/api/cstar/webhook
https://acme.netlify.app/.netlify/functions/webhook
https://hooks.acme.workers.dev/tickets/closed
https://events.pagerduty.com/v2/enqueue
https://api.github.com/repos/acme/support/dispatches
https://gitlab.example.com/api/v4/projects/42/trigger/pipeline?ref=main
https://jenkins.example.com/job/support/buildWithParameters?branch=main
https://ci.example.com/generic-webhook-trigger/invoke
https://grafana.example.com/api/alerts/incoming
https://log.example.com/ingest/v1/http?format=json
https://data.example.com/streams/support-events/records
https://kafka.example.com/topics/support.tickets
https://collector.example.com/track?event=ticket&lang=de
https://analytics.example.com/collect?v=2&type=event
https://bi.example.com/reports/daily/support.json
https://archive.example.com/2025/12/10/tickets
https://archive.example.com/2025-12-10/tickets.json
https://mail.example.com/inbound/parse
https://sms.example.com/notify/on-call
https://teams.example.com/channels/support/messages
https://chat.example.com/rooms/support-team/messages
https://desk.example.com/de/eingang/tickets
https://desk.example.com/fr/commandes/factures
https://tickets.example.co.uk/inbound?region=eu-west-1
https://hooks.example.com/in?country_code=DE
https://hooks.example.com/in?sort_key=name
https://hooks.example.com/in?tenant=a
https://hooks.example.com/in?tenant=b
https://hooks.example.com/in?team=support&priority=high
https://hooks.example.com/in?debug=true&verbose=false
https://hooks.example.com/in?page=2&limit=100
https://hooks.example.com/in?version=2025-01
https://hooks.example.com/in?currency_code=EUR&language_code=en
https://hooks.example.com/in?status_code=200
https://hooks.example.com/in?zip_code=1010
https://hooks.example.com/in?primary_key=id&foreign_key=ticket_id
https://hooks.example.com/in?keyword=help&author=support
https://hooks.example.com/in?signal=strong&design=blue
https://hooks.example.com/in?page_token=2
https://hooks.example.com/in?events=ticket.created,ticket.closed
https://hooks.example.com/in?utm_source=cstar&utm_medium=webhook
https://hooks.example.com/auth/callback
https://hooks.example.com/oauth2/callback
https://hooks.example.com/keys/rotate
https://hooks.example.com/author/monkey
https://hooks.example.com/password-reset/notify
https://hooks.example.com/billing/invoice-paid
https://hooks.example.com/billing/payment_failed
https://hooks.example.com/warehouse/stock-updates
https://hooks.example.com/hr/onboarding/new-employee
https://hooks.example.com/game/player/level-up
https://hooks.example.com/game/boss/defeated
https://hooks.example.com/community/posts/status-changed
https://hooks.example.com/surveys/submitted
https://hooks.example.com/prod/eu/receiver1
https://hooks.example.com/staging/us/receiver2
https://hooks.example.com:8443/secure/inbound
https://192.0.2.10/hooks/inbound
https://[2001:db8::1]/hooks/inbound
https://bücher.example/hooks/bestellungen
http://legacy.example.com/soap/notify
https://hooks.example.com/a/b-c_d/orders
https://hooks.example.com/tenants/12/hooks/345
https://hooks.example.com/healthz
https://hooks.example.com/.well-known/cstar
https://relay.example.com/forward/to/support
https://bus.example.com/exchange/cstar/routing/tickets
https://bot.example.com/api/messages
https://voice.example.com/calls/missed
https://forms.example.com/submissions/new
https://docs.example.com/pages/updated
https://billing.acme-shop.example/acme-shop/orders
""".split()  # noqa: SIM905 - one URL per line


def plain(marked: str) -> str:
    """The URL without the marks."""
    return re.sub(r"[{}]", "", marked)


def secrets_in(marked: str) -> list[str]:
    """What is marked."""
    return re.findall(r"\{([^}]*)\}", marked)
