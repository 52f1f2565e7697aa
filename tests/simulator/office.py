"""What happens at the OA's end and in the provider's console: staff answers, test events, settings."""

import json
from typing import TYPE_CHECKING, Any

from . import events
from .accounts import make_account
from .errors import VerbError
from .model import Json, Message, OfficialAccount, Template

if TYPE_CHECKING:
    from .provider import Provider

ADMIN_ID = "5555666677778888999"
EDITABLE = {
    "name", "webhook_url", "callback_url", "rate_limit", "sub_quota_total", "sub_quota_used", "daily_template_quota",
    "templates_sent", "webhook_on", "events_off", "echo", "receipts", "admin_phones", "oa_secret_key", "app_secret",
}  # fmt: skip


class Office:
    """The verbs of the OA tool and the console."""

    def __init__(self, provider: "Provider") -> None:
        self._provider = provider

    def add_oa(self, **settings: Any) -> OfficialAccount:
        """Add an OA (or replace the one with its id); see `make_account` for what may be left out."""
        account = make_account(**settings)
        self._provider.world.add_oa(account)
        return account

    def change_oa(self, oa_id: str, **settings: Any) -> OfficialAccount:
        """Change settings of an OA: webhook, limits, switches."""
        oa = self._provider.world.oa(oa_id)
        unknown = set(settings) - EDITABLE
        if unknown:
            raise VerbError(f"cannot change {', '.join(sorted(unknown))}")
        for name, value in settings.items():
            setattr(oa, name, value)
        self._provider.world.touch("oas", oa_id=oa_id)
        return oa

    def add_template(self, oa_id: str, **settings: Any) -> Template:
        """Give an OA an approved template."""
        try:
            template = Template(**settings)
        except TypeError as wrong:
            raise VerbError(f"template: {wrong}") from None
        self._provider.world.oa(oa_id).templates[template.template_id] = template
        return template

    async def staff_reply(self, oa_id: str, user_id: str, text: str, admin_id: str = ADMIN_ID) -> Json:
        """Answer a citizen by hand in the OA tool: the echo names the admin."""
        provider = self._provider
        oa, person = provider.world.oa(oa_id), provider.world.person(user_id)
        now, msg_id = provider.clock.now_ms(), provider.world.new_hex()
        message = Message(
            msg_id, oa_id, user_id, from_oa=True, kind="text", at_ms=now, text=text, admin_id=admin_id, via="staff"
        )
        provider.world.add_message(message)
        message.received_ms = now
        delivery = await provider.webhooks.send(oa, events.oa_message(oa, person, message, now))
        return {"msg_id": message.msg_id, "webhooks": [delivery.view()]}

    async def raw_event(
        self,
        oa_id: str,
        payload: Json | None = None,
        body: str = "",
        signing: str = "right",
        server: str = "OA OpenAPI",
    ) -> Json:
        """Send any payload, or any text as `body`, to the OA's webhook; `signing`: right, wrong or none."""
        oa = self._provider.world.oa(oa_id)
        if signing not in {"right", "wrong", "none"}:
            raise VerbError("signing must be right, wrong or none")
        if body:
            try:
                parsed = json.loads(body)
            except ValueError:
                parsed = None
            payload = parsed if isinstance(parsed, dict) else {}
        payload = payload or {}
        text = body or json.dumps(payload, ensure_ascii=False, separators=(",", ":"))
        delivery = await self._provider.webhooks.send_raw(oa, text, payload, server=server, signing=signing)
        return delivery.view()

    async def probe(self, oa_id: str) -> Json:
        """Save the webhook address in the console: an unsigned {}; 200 switches the webhook on, else off."""
        return (await self._provider.webhooks.probe(self._provider.world.oa(oa_id))).view()

    async def test_button(self, oa_id: str) -> Json:
        """Press Test in the console: a signed text between placeholders."""
        oa = self._provider.world.oa(oa_id)
        return (await self._provider.webhooks.send(oa, events.console_test(oa, self._provider.clock.now_ms()))).view()
