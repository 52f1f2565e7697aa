"""Name what requests and the application carry, with its type."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from multidict import MultiDictProxy

from bot.domain.access import Grants, Permission
from bot.health.gauges import Gauges
from bot.runtime import Runtime
from bot.store.staff import SessionRow, StaffRow
from bot.store.unit_of_work import Actor
from handlers.acknowledgement import Acknowledgement

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Route:
    """One line of the table: what answers an address, who may ask, and whether it takes uploads.

    `megabytes` are what uploads may have where the configured limit is less.
    With `patient` a body that is too large by far is read, so that the page comes again with what was typed beside the
    file. A `machine` is nobody to show a page to: it goes straight to its handler.
    """

    method: str
    path: str
    handler: Handler
    permission: Permission
    uploads: bool = False
    machine: bool = False
    patient: bool = False
    megabytes: int = 0


@dataclass(frozen=True, slots=True)
class Visit:
    """Who looks at a page: the sign-in, the person, and what they hold."""

    session: SessionRow
    person: StaffRow
    grants: Grants

    @property
    def actor(self) -> Actor:
        """Whoever acts in a unit of work of this person."""
        return Actor("staff", self.person.id, self.person.name)


RUNTIME = web.AppKey("runtime", Runtime)
GAUGES = web.AppKey("gauges", Gauges)
VISIT = web.RequestKey("visit", Visit)
FORM = web.RequestKey("form", MultiDictProxy[Any])
ACKNOWLEDGEMENT = web.AppKey("acknowledgement", Acknowledgement)
LOOKED_AGAIN = web.AppKey("looked_again", dict[str, float])
ROUTES = web.AppKey("routes", dict[web.AbstractRoute, Route])
