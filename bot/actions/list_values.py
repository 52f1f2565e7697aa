"""Find the first line of an uploaded list that does not fit a template; a list is gone through once for each."""

import json
from collections import OrderedDict
from collections.abc import Mapping

from bot.domain.broadcast import fields_of
from bot.domain.message import Message
from bot.domain.template import Parameter, Problem, filled
from bot.store import listed_audience, recipients
from bot.store.database import Session

Found = tuple[list[Problem], int | None]
_REMEMBERED = 256
_known: OrderedDict[str, Found] = OrderedDict()
"""What was found before: lines of a list do not change once it is checked, they only go."""


async def first_wrong(
    session: Session, list_id: str, parameters: tuple[Parameter, ...], given: Mapping[str, str]
) -> Found:
    """Return what is wrong with the first line that does not fit, and its number; ([], None) when all fit.

    Where nothing of the lines stands in the parameters none is looked at, and what is wrong is of no line.
    """
    if not fields_of(Message(parameters=dict(given))):
        return filled(parameters, given, {}).problems, None
    row = await recipients.seen(session, list_id)
    if row is None:
        return [], None
    asked = [parameter.to_json() for parameter in parameters]
    key = json.dumps([list_id, str(row.checked_at), row.good, asked, sorted(given.items())])
    found = _known.get(key)
    if found is None:
        found = _known[key] = await _gone_through(session, list_id, parameters, given)
    _known.move_to_end(key)
    while len(_known) > _REMEMBERED:
        _known.popitem(last=False)
    return found


async def _gone_through(
    session: Session, list_id: str, parameters: tuple[Parameter, ...], given: Mapping[str, str]
) -> Found:
    after = 0
    while lines := await listed_audience.good_lines(session, list_id, after):
        for number, merged in lines:
            problems = filled(parameters, given, merged).problems
            if problems:
                return problems, number
        after = lines[-1][0]
    return [], None
