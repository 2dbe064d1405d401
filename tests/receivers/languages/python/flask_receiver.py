import os

from flask import Flask, request
from verification import receive

app = Flask(__name__)


@app.post("/hook")
def hook():
    body = request.get_data()
    return "", receive(body, request.headers.get("X-Signature"))


if __name__ == "__main__":
    app.run(port=int(os.environ.get("PORT", "8000")))
