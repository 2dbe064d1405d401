import os

from aiohttp import web
from verification import receive

routes = web.RouteTableDef()


@routes.post("/hook")
async def hook(request):
    body = await request.read()
    return web.Response(status=receive(body, request.headers.get("X-Signature")))


if __name__ == "__main__":
    app = web.Application()
    app.add_routes(routes)
    web.run_app(app, host="127.0.0.1", port=int(os.environ.get("PORT", "8000")))
