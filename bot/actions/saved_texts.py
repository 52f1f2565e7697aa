"""Keep texts that are used again: every change is a version of its own, and none is overwritten."""

from bot.actions.case_trail import audit
from bot.actions.units import unit_of, words_of
from bot.domain.announcement import Kind, words_wrong
from bot.domain.text import clean, fold
from bot.errors import ConflictError, InvalidInputError, NotFoundError
from bot.store import saved_texts, units
from bot.store.announcements import SavedTextRow
from bot.store.database import Session
from bot.store.unit_of_work import UnitOfWork
from bot.store.units import UnitRow

WORDS = ("title", "text", "button_label", "button_url")
_MOST_NAME = 100


async def in_use(session: Session, unit: UnitRow) -> list[SavedTextRow]:
    """Return the newest version of each text that a unit may use: its own and those of the units above, by name."""
    return await saved_texts.of_units(session, [above.id for above in await units.above(session, unit)])


async def add(uow: UnitOfWork, unit_id: str, given: dict[str, str]) -> SavedTextRow:
    """Save a new text of a unit; `given` holds name, kind, title, text, button_label and button_url.

    Raises InvalidInputError by field: empty, too_long, name_taken, unknown_announcement_kind, and what `words_wrong`
    finds.
    """
    await unit_of(uow, unit_id)
    name = await _free_name(uow, unit_id, given.get("name", ""))
    kind, words = _checked(given)
    row = SavedTextRow(id=uow.new_id(), version=0, unit_id=unit_id, name=name, made_by=_author(uow), made_at=uow.now)
    return await _kept(uow, _next(uow, row, kind=kind, **words), "add")


async def change(uow: UnitOfWork, text_id: str, version: int, given: dict[str, str]) -> SavedTextRow:
    """Save a new version of a text's words, made from the version that was seen; the same words make none.

    Raises InvalidInputError as `add` does, ConflictError when there is a newer version or the text has been ended.
    """
    last = await _open(uow, text_id, version)
    kind, words = _checked(given)
    if kind == last.kind and all(getattr(last, name) == value for name, value in words.items()):
        return last
    return await _kept(uow, _next(uow, last, kind=kind, **words), "change")


async def rename(uow: UnitOfWork, text_id: str, version: int, name: str) -> SavedTextRow:
    """Give a text another name, which is a version of its own, too."""
    last = await _open(uow, text_id, version)
    name = await _free_name(uow, last.unit_id, name, text_id)
    return last if name == last.name else await _kept(uow, _next(uow, last, name=name), "rename")


async def end(uow: UnitOfWork, text_id: str, version: int) -> SavedTextRow:
    """Offer a text no more; its versions can still be read."""
    return await _kept(uow, _next(uow, await _open(uow, text_id, version), ended=True), "end")


async def _open(uow: UnitOfWork, text_id: str, version: int) -> SavedTextRow:
    last = await saved_texts.locked(uow.session, text_id)
    if last is None:
        raise NotFoundError(f"saved text {text_id}")
    if last.ended or last.version != version:
        raise ConflictError(f"saved text {text_id} is at version {last.version}")
    return last


def _next(uow: UnitOfWork, last: SavedTextRow, **changes: object) -> SavedTextRow:
    kept = {name: getattr(last, name) for name in ("id", "unit_id", "name", "kind", *WORDS)}
    return SavedTextRow(**{**kept, **changes}, version=last.version + 1, made_by=_author(uow), made_at=uow.now)


def _author(uow: UnitOfWork) -> str:
    assert uow.actor.id is not None
    return uow.actor.id


async def _free_name(uow: UnitOfWork, unit_id: str, name: str, text_id: str = "") -> str:
    name = " ".join(words_of(name, "name", _MOST_NAME).split())
    known = await saved_texts.of_units(uow.session, [unit_id])
    if any(fold(row.name) == fold(name) and row.id != text_id for row in known):
        raise InvalidInputError("name", "name_taken")
    return name


def _checked(given: dict[str, str]) -> tuple[str, dict[str, str]]:
    words = {name: clean(given.get(name, "")) for name in WORDS}
    kind = given.get("kind", "")
    if kind not in set(Kind):
        raise InvalidInputError("kind", "unknown_announcement_kind")
    for wrong in words_wrong(words["title"], words["text"], words["button_label"], words["button_url"]):
        raise wrong
    return kind, words


async def _kept(uow: UnitOfWork, row: SavedTextRow, deed: str) -> SavedTextRow:
    uow.session.add(row)
    await uow.session.flush()
    audit(uow, f"saved_text.{deed}", f"unit:{row.unit_id}", {"name": row.name, "version": row.version})
    return row
