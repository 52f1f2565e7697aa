"""Report the demo's dossiers as another system would: all statuses, some of the two citizens who have a phone."""

import tomllib
from collections.abc import Mapping
from typing import Any

from bot.actions.dossiers import News, take_in
from bot.demo.data import DATA
from bot.demo.days import Days
from bot.demo.stage import Stage
from bot.domain.dossier import Status
from bot.store.units import UnitRow

PHONES = {"A": "84900000001", "B": "84900000002"}
"""The phones of the simulator's first two citizens, on Zalo and on Telegram."""
_MOMENTS = frozenset({"limit_at"})


def read_dossiers() -> list[Mapping[str, Any]]:
    """Read dossiers.toml."""
    with (DATA / "dossiers.toml").open("rb") as file:
        return list(tomllib.load(file)["dossier"])


def news_of(dossier: Mapping[str, Any], units: Mapping[str, UnitRow], days: Days, name: str) -> list[News]:
    """Return what was told of a dossier, oldest first; `name` takes the letter of whose it is."""
    unit, who = units[dossier["unit"]], dossier.get("who", "")
    person = (name.format(number=who), PHONES[who]) if who else ("", "")
    known = {
        "procedure_code": dossier["procedure"],
        "unit_code": unit.code,
        "online": dossier["online"],
        "due_at": days.moment(dossier["due"]),
    }
    found = []
    for step in dossier["step"]:
        more = {key: value for key, value in step.items() if key not in {"at", "status"}}
        facts = {key: days.moment(value) if key in _MOMENTS else value for key, value in more.items()}
        at, status = days.moment(step["at"]), Status(step["status"])
        found.append(News(days.fill(dossier["code"]), status, at, unit.id, unit.path, {**known, **facts}, *person))
    return found


async def report(stage: Stage) -> None:
    """Take all of them in; what was told a week ago and longer is history and is told to nobody."""
    name = stage.contact_name.replace("{number:02d}", "{number}")
    dossiers = read_dossiers()
    news = [one for dossier in dossiers for one in news_of(dossier, stage.commune.units, stage.days, name)]
    await take_in(stage.root, stage.box, news, "import:demo")
