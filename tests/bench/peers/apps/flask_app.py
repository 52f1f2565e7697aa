"""Flask behind gunicorn: take a signed Zalo event, leave it to Celery through Redis, and answer."""

import hashlib
import hmac
import os

import orjson
from celery_tasks import store
from flask import Flask, Response, request

SECRET = os.environ["PEER_SECRET"].encode()

app = Flask(__name__)


@app.get("/healthz")
def healthz() -> Response:
    """Say that requests are taken."""
    return Response(b"{}", mimetype="application/json")


@app.post("/webhooks/zalo")
def webhook() -> Response:
    """Check the signature, queue the event, and answer 200 once Redis has it."""
    body = request.get_data(cache=False)
    try:
        data = orjson.loads(body)
    except orjson.JSONDecodeError:
        return Response(status=400)
    signed = hashlib.sha256(data["app_id"].encode() + body + data["timestamp"].encode() + SECRET).hexdigest()
    if not hmac.compare_digest(f"mac={signed}", request.headers.get("X-ZEvent-Signature", "")):
        return Response(status=401)
    store.delay(body.decode())
    return Response(b"{}", mimetype="application/json")
