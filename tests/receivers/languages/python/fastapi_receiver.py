import os

import uvicorn
from fastapi import FastAPI, Request, Response
from verification import receive

app = FastAPI()


@app.post("/hook")
async def hook(request: Request):
    body = await request.body()
    return Response(status_code=receive(body, request.headers.get("x-signature")))


if __name__ == "__main__":
    uvicorn.run(app, port=int(os.environ.get("PORT", "8000")))
