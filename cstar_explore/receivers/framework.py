"""The likely framework of a receiver, from its responses, and how to get the raw body there."""

import re
from collections.abc import Iterable

from .sending import Response

# In the order of how much each says: a pattern for the response's headers and body, the framework, and the raw body there.
_FRAMEWORKS = (
    (r"x-powered-by: next\.js", "Next.js", "await request.text() in a route handler; in pages/api, export const config = {api: {bodyParser: false}}"),
    (r"x-powered-by: express|<pre>cannot (?:post|get) ", "Express", 'express.raw({type: "application/json"}) on this route, before express.json(); then request.body is the Buffer'),
    (r'"statuscode":\d+,"(?:code|error|message)"', "Fastify", 'addContentTypeParser("application/json", {parseAs: "buffer"}, …); then the Buffer that it is given'),
    (r"laravel_session|\blaravel\b", "Laravel", "$request->getContent()"),
    (r"x-powered-by: php|php/\d|php \d\S* development server", "PHP", "file_get_contents('php://input')"),
    (r"csrftoken|\bdjango\b|server: wsgiserver", "Django", "request.body, in a view with @csrf_exempt"),
    (r"server: werkzeug", "Flask", "request.get_data(), before request.json and without as_text"),
    (r"server: gunicorn", "Flask or Django", "request.get_data() in Flask, request.body in Django"),
    (r'server: (?:uvicorn|hypercorn)\n(?:.*\n)*\n(?:\{"detail"|method not allowed|internal server error)', "FastAPI or Starlette", "await request.body()"),
    (r"server: (?:uvicorn|hypercorn|daphne)", "FastAPI, Starlette or Django", "await request.body() in FastAPI and Starlette, request.body in Django"),
    (r"server: .*aiohttp", "aiohttp", "await request.read()"),
    (r"x-runtime: |action_controller|x-request-id: .*\n.*x-runtime", "Rails", "request.raw_post"),
    (r"server: (?:webrick|puma|thin|unicorn)|x-cascade|rack", "Rack", "request.body.read"),
    (r"server: kestrel|x-powered-by: asp\.net", "ASP.NET", "Request.EnableBuffering(), then read Request.Body as bytes"),
    (r"whitelabel error|application-context|\"timestamp\":.*\"path\":", "Spring", "@RequestBody byte[] body"),
    (r"server: basehttp", "http.server", 'self.rfile.read(int(self.headers["Content-Length"]))'),
    (r"keep-alive: timeout=\d+\n", "Node.js", 'Buffer.concat(chunks) in http, express.raw() in Express, a parser with parseAs: "buffer" in Fastify'),
    (r"x-content-type-options: nosniff\n(?:.*\n)*\n|404 page not found", "Go net/http", "io.ReadAll(r.Body)"),
)  # fmt: skip

_ANY = (
    "the bytes of the request before anything parses them: request.get_data() in Flask, await request.body() in FastAPI,"
    " request.body in Django, express.raw() in Express, io.ReadAll(r.Body) in Go, php://input in PHP, request.body.read in Rack"
)


def framework(responses: Iterable[Response]) -> tuple[str | None, str]:
    """The likely framework, or None, and what gives the raw body."""
    texts = {_text(each) for each in responses if each.status is not None}
    for pattern, name, raw_body in _FRAMEWORKS:
        if any(re.search(pattern, text) for text in texts):
            return name, raw_body
    return None, _ANY


def _text(response: Response) -> str:
    lines = [f"{name}: {value}" for name, value in response.headers]
    return "\n".join([*lines, "", response.body.decode("latin-1")]).lower()
