"""The table of contents of the web: every address, what answers it, and who may ask."""

from bot.domain.access import Permission
from handlers import health as machines
from handlers import static, webhooks
from handlers.console import case, case_verbs, events, health, inbox, media, sign_in, upload
from handlers.keys import Route

TABLE: tuple[Route, ...] = (
    # machines
    Route("POST", "/webhooks/zalo", webhooks.zalo, Permission.PUBLIC),
    Route("GET", "/healthz", machines.healthz, Permission.PUBLIC),
    Route("GET", "/readyz", machines.readyz, Permission.PUBLIC),
    Route("GET", "/metrics", machines.metrics_page, Permission.PUBLIC),
    Route("GET", "/zalo_verifier{code}.html", machines.zalo_verifier, Permission.PUBLIC),
    Route("GET", "/static/{name:.+}", static.asset, Permission.PUBLIC),
    # in and out
    Route("GET", "/login", sign_in.show, Permission.PUBLIC),
    Route("POST", "/login", sign_in.submit, Permission.PUBLIC),
    Route("POST", "/login/code", sign_in.submit_code, Permission.PUBLIC),
    Route("POST", "/logout", sign_in.sign_out, Permission.SIGNED_IN),
    # work
    Route("GET", "/", inbox.show, Permission.SIGNED_IN),
    Route("POST", "/cases/assign", inbox.assign, Permission.CASE_ASSIGN),
    Route("GET", "/cases/{id}", case.show, Permission.CASE_READ),
    Route("POST", "/cases/{id}/accept", case_verbs.accept, Permission.CASE_WORK),
    Route("POST", "/cases/{id}/answer", case_verbs.answer, Permission.CASE_WORK, uploads=True),
    Route("POST", "/cases/{id}/files", upload.add, Permission.CASE_WORK, uploads=True),
    Route("POST", "/cases/{id}/ask", case_verbs.ask_back, Permission.CASE_WORK),
    Route("POST", "/cases/{id}/hand-over", case_verbs.hand_over, Permission.CASE_ASSIGN),
    Route("POST", "/cases/{id}/notes", case_verbs.add_note, Permission.CASE_ASSIGN),
    Route("POST", "/cases/{id}/level", case_verbs.set_level, Permission.CASE_ASSIGN),
    Route("POST", "/cases/{id}/merge", case_verbs.merge, Permission.CASE_ASSIGN),
    Route("POST", "/cases/{id}/forward", case_verbs.forward, Permission.CASE_REFUSE),
    Route("POST", "/cases/{id}/refuse", case_verbs.refuse, Permission.CASE_REFUSE),
    Route("POST", "/cases/{id}/approve", case_verbs.approve, Permission.CASE_APPROVE),
    Route("POST", "/cases/{id}/send-back", case_verbs.send_back, Permission.CASE_APPROVE),
    Route("POST", "/cases/{id}/told", case_verbs.told_otherwise, Permission.CASE_WORK),
    Route("POST", "/cases/{id}/events/{event}/undo", case_verbs.undo, Permission.CASE_READ),
    Route("POST", "/cases/{id}/phone", case_verbs.reveal_phone, Permission.CONTACT_REVEAL),
    Route("GET", "/media/{id}", media.full, Permission.CASE_READ),
    Route("GET", "/media/{id}/thumb", media.thumbnail, Permission.CASE_READ),
    Route("GET", "/events", events.stream, Permission.SIGNED_IN),
    # what is stuck
    Route("GET", "/health", health.show, Permission.HEALTH_READ),
    Route("GET", "/health/updates/{id}", health.show_update, Permission.ADMIN),
    Route("POST", "/health/updates/{id}/retry", health.retry_update, Permission.HEALTH_REPAIR),
    Route("POST", "/health/messages/{id}/retry", health.retry_message, Permission.HEALTH_REPAIR),
    Route("POST", "/health/failures/retry", health.retry_reason, Permission.HEALTH_REPAIR),
)
