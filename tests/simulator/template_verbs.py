"""What the provider does to templates: approves, rejects, disables and rates them, and tells of it."""

from dataclasses import asdict, fields
from typing import Any

from . import events
from .errors import VerbError
from .model import Json, OfficialAccount, Template
from .provider import Provider
from .template_api import STATUSES

QUALITIES = ("HIGH", "MEDIUM", "LOW", "UNDEFINED")


class TemplateVerbs:
    """The verbs of whoever looks after templates at the provider."""

    provider: Provider

    async def add_template(self, *, oa_id: str, **template: Any) -> Json:
        """Give an OA a template, an approved one where `status` does not say otherwise."""
        unknown = set(template) - {f.name for f in fields(Template)}
        if unknown:
            raise VerbError(f"unknown setting of a template: {', '.join(sorted(unknown))}")
        made = Template(**template)
        self.provider.world.oa(oa_id).templates[made.template_id] = made
        return asdict(made)

    async def set_template(
        self,
        *,
        oa_id: str,
        template_id: str,
        status: str = "",
        quality: str = "",
        reason: str = "",
        tell: bool = True,
    ) -> Json:
        """Change a template's status or quality, and tell the OA, unless `tell` is false."""
        oa, template = self._template(oa_id, template_id)
        now = self.provider.clock.now_ms()
        news: list[Json] = []
        if status:
            _check(status, STATUSES)
            news.append(events.template_status(oa, template, status, reason, now))
            template.status = status
        if quality:
            _check(quality, QUALITIES)
            template.quality = quality
            news.append(events.template_quality(oa, template, now))
        for payload in news if tell else []:
            self.provider.tell(oa, payload, server="ZNS")
        return asdict(template)

    async def remove_template(self, *, oa_id: str, template_id: str) -> Json:
        """Take a template out of an OA's list, without a word."""
        oa, template = self._template(oa_id, template_id)
        del oa.templates[template.template_id]
        return {}

    async def set_template_quota(self, *, oa_id: str, daily: int) -> Json:
        """Change how many templates an OA may send a day, and tell it."""
        oa = self.provider.world.oa(oa_id)
        payload = events.oa_daily_quota(oa, daily, self.provider.clock.now_ms())
        oa.daily_template_quota = daily
        self.provider.tell(oa, payload, server="ZNS")
        return {"daily_template_quota": daily}

    def _template(self, oa_id: str, template_id: str) -> tuple[OfficialAccount, Template]:
        oa = self.provider.world.oa(oa_id)
        template = oa.templates.get(template_id)
        if template is None:
            raise VerbError(f"no template {template_id}")
        return oa, template


def _check(value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise VerbError(f"must be one of {', '.join(allowed)}")
