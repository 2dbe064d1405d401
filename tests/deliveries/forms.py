"""The forms in which people have deliveries, written for a body and a signature."""

import asyncio
import base64
import csv
import io
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import django.conf
import httpx
import requests
from aiohttp.test_utils import make_mocked_request
from django.test import RequestFactory
from starlette.requests import Request as StarletteRequest
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request as WerkzeugRequest

from cstar_explore.listener.store import Received

ARRIVED = datetime(2025, 12, 10, 14, 30, tzinfo=UTC)
URL = "https://a.example/hook"


def _raw(text: str, signature: str) -> str:
    return f"POST /hook HTTP/1.1\r\nHost: a.example\r\nX-Signature: {signature}\r\n\r\n{text}"


def _har(text: str, signature: str) -> dict[str, Any]:
    headers = [{"name": ":authority", "value": "a.example"}, {"name": "X-Signature", "value": signature}]
    request = {"method": "POST", "url": URL, "headers": headers, "postData": {"text": text}}
    return {"log": {"entries": [{"request": request}]}}


def _ngrok(text: str, signature: str) -> dict[str, Any]:
    head = f"POST /hook HTTP/1.1\r\nContent-Length: {len(text.encode())}\r\nX-Signature: {signature}\r\n\r\n"
    request = {
        "method": "POST",
        "proto": "HTTP/1.1",
        "headers": {"X-Signature": [signature]},
        "uri": "/hook",
        "raw": base64.b64encode(head.encode() + text.encode()).decode(),
    }
    return {"uri": "/api/requests/http", "requests": [{"id": "airt_1", "remote_addr": "1.2.3.4", "request": request}]}


def _requestbin(text: str, signature: str) -> dict[str, Any]:
    event = {"method": "POST", "path": "/", "client_ip": "1.2.3.4", "url": URL, "inferred_body_type": "JSON"}
    return {"event": event | {"query": {}, "headers": {"x-signature": signature}, "bodyRaw": text, "body": {}}}


def _csv(text: str, signature: str) -> str:
    written = io.StringIO()
    csv.writer(written).writerows(
        [["uuid", "method", "content", "headers.x-signature.0", "url"], ["1", "POST", text, signature, URL]]
    )
    return written.getvalue()


def _http2(text: str, signature: str) -> str:
    pseudo = ":method: POST\n:authority: a.example\n:scheme: https\n:path: /hook\n"
    return f"{pseudo}x-signature: {signature}\n\n{text}"


def _prompt(text: str, signature: str) -> str:
    """As in the command prompt by hand: the argument in quotes, each quote in it doubled, so that `\"\"\"` begins and ends it."""
    return f'curl {URL} -H "X-Signature: {signature}" --data-raw "{text}"'.replace(text, text.replace('"', '""'))


def _powershell(text: str, signature: str) -> str:
    body = text.replace("`", "``").replace('"', '`"').replace("$", "`$")
    return f'Invoke-WebRequest -Uri "{URL}" `\n-Method POST `\n-Headers @{{\n"X-Signature"="{signature}"\n}} `\n-Body "{body}"'


def _received(text: str, signature: str) -> Received:
    headers = (("host", "127.0.0.1:8000"), ("x-signature", signature))
    return Received(1, ARRIVED, "POST", "/", headers, text.encode(), "ok", None, None, None, 200, None)


def _frame(text: str, signature: str) -> Any:
    import pandas as pd

    return pd.DataFrame([vars(_received(text, signature))])


def django_request(body: bytes, signature: str) -> Any:
    """A request of Django's test tools."""
    if not django.conf.settings.configured:
        django.conf.settings.configure()
    return RequestFactory().post("/hook", body, "application/json", headers={"X-Signature": signature})


def starlette_request(body: bytes, signature: str) -> StarletteRequest:
    """A request of Starlette whose body has not been read."""

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    headers = [(b"x-signature", signature.encode()), (b"host", b"a.example")]
    target = {"path": "/hook", "query_string": b"", "scheme": "https", "server": ("a.example", 443)}
    return StarletteRequest({"type": "http", "method": "POST", "headers": headers, **target}, receive)


def _starlette_read(text: str, signature: str) -> StarletteRequest:
    request = starlette_request(text.encode(), signature)
    asyncio.run(request.body())
    return request


def aiohttp_request(body: bytes, signature: str, *, read: bool) -> Any:
    """A request of aiohttp's test tools."""

    async def make() -> Any:
        from aiohttp.base_protocol import BaseProtocol
        from aiohttp.streams import StreamReader

        loop = asyncio.get_running_loop()
        payload = StreamReader(BaseProtocol(loop), 2**16, loop=loop)
        payload.feed_data(body)
        payload.feed_eof()
        request = make_mocked_request("POST", "/hook", {"X-Signature": signature}, payload=payload)
        if read:
            await request.read()
        return request

    return asyncio.run(make())


def _werkzeug(text: str, signature: str) -> WerkzeugRequest:
    environ = EnvironBuilder(method="POST", path="/hook", data=text.encode(), headers={"X-Signature": signature})
    return WerkzeugRequest(environ.get_environ())


# Each takes the body's text and the value of X-Signature.
FORMS: dict[str, Callable[[str, str], Any]] = {
    "raw": _raw,
    "raw_bytes": lambda text, signature: _raw(text, signature).encode(),
    "http2": _http2,
    "har": lambda text, signature: json.dumps(_har(text, signature)),
    "ngrok": _ngrok,
    "requestbin": _requestbin,
    "listed_headers": lambda text, signature: {
        "request": {"headers": [{"name": "X-Signature", "value": signature}], "body": text}
    },
    "aws": lambda text, signature: {"headers": {"X-Signature": signature}, "body": text, "isBase64Encoded": False},
    "aws_multi_value": lambda text, signature: {
        "httpMethod": "POST",
        "path": "/hook",
        "multiValueHeaders": {"host": ["a.example"], "x-signature": [signature]},
        "body": base64.b64encode(text.encode()).decode(),
        "isBase64Encoded": True,
    },
    "webhook_site": lambda text, signature: {
        "data": [{"uuid": "1", "method": "POST", "content": text, "headers": {"x-signature": [signature]}}]
    },
    "webhook_site_csv": _csv,
    "postman": lambda text, signature: {
        "item": [{"request": {"header": [{"key": "X-Signature", "value": signature}], "body": {"raw": text}}}]
    },
    "prompt": _prompt,
    "powershell": _powershell,
    "fetch": lambda text, signature: (
        f'fetch("{URL}", {json.dumps({"headers": {"X-Signature": signature}, "body": text, "method": "POST"})});'
    ),
    "pair": lambda text, signature: (text.encode(), {"X-Signature": signature}),
    "received": _received,
    "frame": _frame,
    "row": lambda text, signature: next(_frame(text, signature).itertuples()),
    "httpx": lambda text, signature: httpx.Request(
        "POST", URL, content=text.encode(), headers={"X-Signature": signature}
    ),
    "requests": lambda text, signature: requests.Request("POST", URL, {"X-Signature": signature}, data=text.encode()),
    "werkzeug": _werkzeug,
    "django": lambda text, signature: django_request(text.encode(), signature),
    "starlette": _starlette_read,
    "aiohttp": lambda text, signature: aiohttp_request(text.encode(), signature, read=True),
}
