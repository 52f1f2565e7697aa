"""What staff do in the OA tool, and the office's engineer in the developers' console."""

from collections.abc import Set as AbstractSet
from dataclasses import asdict, fields
from typing import Any

from . import events
from .errors import VerbError
from .model import BUSINESS, STATE, Json, Message, OfficialAccount, Template
from .provider import Provider

KINDS = {"state": STATE, "business": BUSINESS}
ADMIN = "5555666677778888999"


class OfficeVerbs:
    """The verbs of the OA's end."""

    provider: Provider

    async def add_oa(self, *, oa_id: str, name: str, type: str = "business", **settings: Any) -> Json:  # noqa: A002 - the field's name
        """Add an OA or put another in its place; `type` is state or business, `templates` a list of them."""
        if type not in KINDS:
            raise VerbError("type must be state or business")
        _check_settings(settings)
        templates = [Template(**item) for item in settings.pop("templates", [])]
        defaults = {
            "app_id": "1111222233334444555",
            "app_secret": "demo-app-secret",
            "oa_secret_key": f"secret-{oa_id}",
            "access_token": f"access-{oa_id}",
            "refresh_token": f"refresh-{oa_id}",
        }
        account = OfficialAccount(oa_id, name, KINDS[type], **(defaults | settings))
        account.templates = {template.template_id: template for template in templates}
        self.provider.world.add_oa(account)
        return self.oa(oa_id=oa_id)

    async def set_oa(self, *, oa_id: str, **settings: Any) -> Json:
        """Change settings of an OA, such as webhook_url, webhook_on, rate_limit, echo, receipts."""
        oa = self.provider.world.oa(oa_id)
        _check_settings(settings, fixed={"oa_id", "templates"})
        for key, value in settings.items():
            setattr(oa, key, value)
        self.provider.world.touch("oas", oa_id=oa_id)
        return self.oa(oa_id=oa_id)

    def oa(self, *, oa_id: str) -> Json:
        """Return what an OA is, tokens included: this is a simulator."""
        return asdict(self.provider.world.oa(oa_id)) | {"is_state": self.provider.world.oa(oa_id).is_state}

    async def staff_reply(self, *, oa_id: str, user_id: str, text: str, admin_id: str = ADMIN) -> Json:
        """Type an answer in the OA tool, as a person of the office would."""
        oa, person = self.provider.world.oa(oa_id), self.provider.world.person(user_id)
        message = Message(
            self.provider.world.new_hex(), oa_id, user_id, from_oa=True, kind="text",
            at_ms=self.provider.clock.now_ms(), text=text, admin_id=admin_id, via="oa_tool",
        )  # fmt: skip
        self.provider.deliver(oa, person, message)
        return {"msg_id": message.msg_id}

    async def probe(self, *, oa_id: str) -> Json:
        """Save the webhook URL in the console: an unsigned `{}`."""
        return (await self.provider.webhooks.probe(self.provider.world.oa(oa_id))).view()

    async def test_button(self, *, oa_id: str) -> Json:
        """Press Test in the console."""
        oa = self.provider.world.oa(oa_id)
        payload = events.console_test(oa, self.provider.clock.now_ms())
        return (await self.provider.webhooks.send(oa, payload)).view()

    async def raw(
        self,
        *,
        oa_id: str,
        payload: Json | None = None,
        body: str = "",
        signing: str = "right",
        server: str = "OA OpenAPI",
    ) -> Json:
        """Send any event: a payload, or these very bytes; `signing` is right, wrong or none."""
        oa = self.provider.world.oa(oa_id)
        if payload is not None and not body:
            delivery = await self.provider.webhooks.send(oa, payload, server=server)
        else:
            delivery = await self.provider.webhooks.send_raw(oa, body, payload or {}, server=server, signing=signing)
        return delivery.view()


def _check_settings(settings: Json, fixed: AbstractSet[str] = frozenset({"oa_id"})) -> None:
    unknown = set(settings) - ({f.name for f in fields(OfficialAccount)} - fixed)
    if unknown:
        raise VerbError(f"unknown OA setting {', '.join(sorted(unknown))}")
