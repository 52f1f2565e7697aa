"""Count and time what happens, for /metrics; names begin with loa_."""

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram, generate_latest

REGISTERED: CollectorRegistry = REGISTRY

received = Counter("loa_updates_received_total", "Webhooks stored or found stored already", ["provider"])
refused = Counter("loa_webhooks_refused_total", "Webhooks refused, by reason", ["provider", "reason"])
handled = Counter("loa_updates_handled_total", "Updates handled, by what they were", ["kind"])
handling_failed = Counter("loa_updates_failed_total", "Tries to handle an update that failed", ["final"])
sends = Counter("loa_sends_total", "Tries to send a message, by outcome", ["provider", "outcome"])
attachments = Counter("loa_attachments_total", "Attachments fetched, by outcome", ["outcome"])
spooled = Counter("loa_spooled_total", "Webhooks written to disk because the database refused")
batch = Histogram(
    "loa_intake_batch_size", "Webhooks written in one transaction", buckets=(1, 2, 5, 10, 20, 50, 100, 200)
)
intake_seconds = Histogram("loa_intake_seconds", "Time to make one batch of webhooks durable")
page_seconds = Histogram("loa_page_seconds", "Server time of a page", ["page"])
wake_seconds = Histogram(
    "loa_wake_seconds", "Wake-up of a job to its start", ["job"], buckets=(0.001, 0.005, 0.01, 0.05, 0.1, 1, 10)
)
turn_seconds = Histogram("loa_turn_seconds", "Webhook received to reply handed to the provider")
queue_age = Gauge("loa_queue_age_seconds", "Age of the oldest waiting item", ["queue"])
backlog = Gauge("loa_backlog", "Items waiting", ["queue"])
job_age = Gauge("loa_job_age_seconds", "Time since a periodic job last ended well", ["job"])
database_up = Gauge("loa_database_up", "Whether the database answered when ages and backlogs were read last")
books_differences = Gauge("loa_books_differences", "Lines of the books that did not add up when checked last")
parked = Gauge("loa_parked", "Updates that wait for a person")
spool_files = Gauge("loa_spool_files", "Files in the spool folder")
spool_bytes = Gauge("loa_spool_bytes", "Bytes of webhooks in the spool folder")
spool_webhooks = Gauge("loa_spool_webhooks", "Webhooks in the spool folder")


def exposition() -> bytes:
    """Return every metric in Prometheus' text format."""
    return generate_latest(REGISTERED)
