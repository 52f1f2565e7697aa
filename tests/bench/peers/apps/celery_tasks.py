"""The Celery application of the peers, and as a program the enqueueing of one task per recipient: NUMBER."""

import json
import os
import sys
import time

from celery import Celery

app = Celery("peer", broker=os.environ["PEER_REDIS"])
app.conf.update(
    task_ignore_result=True,
    task_store_errors_even_if_ignored=False,
    worker_prefetch_multiplier=64,
    broker_pool_limit=16,
    broker_connection_retry_on_startup=True,
    worker_hijack_root_logger=False,
)
_done = os.open(os.environ.get("PEER_DONE", os.devnull), os.O_WRONLY | os.O_APPEND)


@app.task(name="store")
def store(body: str) -> None:
    """Stand for the work on a stored event; while webhooks are measured no worker runs."""


@app.task(name="send")
def send(_recipient: int) -> None:
    """Send nothing; one byte in a file lets the harness count what was processed."""
    os.write(_done, b".")


if __name__ == "__main__":
    number = int(sys.argv[1])
    send.delay(0)  # opens the connection
    begin = time.perf_counter()
    for recipient in range(1, number):
        send.delay(recipient)
    sys.stdout.write(json.dumps({"seconds": time.perf_counter() - begin}))
