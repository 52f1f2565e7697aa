"""Find dossiers as people name them, by code, by its end, or as their own, and keep whose each is."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, delete, func, or_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.store.contacts import ContactRow, same_person
from bot.store.dossier_writing import add
from bot.store.dossiers import DossierPersonRow, DossierRow
from bot.store.units import UnitRow

_MOST = 50
"""So many of somebody's newest dossiers are looked at, however many they have handed in for others."""
_NOT_BY_PHONE = col(DossierPersonRow.how) != "phone"


async def by_code(session: AsyncSession, code: str, path: str) -> DossierRow | None:
    """Return the dossier with this code, in canonical form, of the unit at `path` or one below."""
    row = (await session.exec(select(DossierRow).where(DossierRow.code == code))).first()
    return row if row is not None and row.path.startswith(path) else None


async def by_squeezed(session: AsyncSession, squeezed: Collection[str], path: str) -> list[DossierRow]:
    """Return the dossiers whose code is one of these, letters and digits alone, of the unit at `path` or one below."""
    query = select(DossierRow).where(col(DossierRow.squeezed).in_(list(squeezed)))
    return [row for row in (await session.exec(query)).all() if row.path.startswith(path)]


async def by_tail(session: AsyncSession, tail: str, path: str, limit: int, day: str = "") -> list[DossierRow]:
    """Return the dossiers with this running number, without leading zeros, of the unit at `path` or below.

    Newest first. With `day` (yyMMdd or yyyyMMdd) only those whose code names that day, in whichever of both ways.
    """
    units = (await session.exec(select(UnitRow.id).where(col(UnitRow.path).startswith(path, autoescape=True)))).all()
    query = select(DossierRow).where(DossierRow.tail == tail, col(DossierRow.unit_id).in_(list(units)))
    if day:
        query = query.where(or_(*(col(DossierRow.code).like(f"%-{part}-%") for part in _spellings(day))))
    return list((await session.exec(query.order_by(col(DossierRow.status_at).desc()).limit(limit))).all())


def _spellings(day: str) -> tuple[str, str]:
    short = day[-6:]
    return short, f"20{short}"


async def of_contact(session: AsyncSession, contact: ContactRow, limit: int) -> list[DossierRow]:
    """Return the dossiers of the person that a contact is, newest first: bound to them, or known by their phone.

    Of several contacts of one person each counts.
    """
    people = await same_person(session, contact)
    newest = col(DossierRow.status_at).desc()
    mine = select(DossierPersonRow.dossier_id).where(*_proved([row.id for row in people]))
    query = select(DossierRow).where(col(DossierRow.id).in_(mine)).order_by(newest).limit(limit)
    found = {row.id: row for row in (await session.exec(query)).all()}
    for phone in sorted({row.phone_hash for row in people if row.phone_hash}):
        query = select(DossierRow).where(DossierRow.phone_hash == phone).order_by(newest).limit(limit)
        found |= {row.id: row for row in (await session.exec(query)).all()}
    return sorted(found.values(), key=lambda row: row.status_at, reverse=True)[:limit]


def _proved(contact_ids: list[str]) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """Match what binds contacts otherwise than by phone: a phone counts as long as both have it, and is compared."""
    return col(DossierPersonRow.contact_id).in_(contact_ids), _NOT_BY_PHONE


async def open_first(session: AsyncSession, contact: ContactRow, limit: int) -> list[DossierRow]:
    """Return a person's newest dossiers, those that are under way before those that have come to an end."""
    found = await of_contact(session, contact, _MOST)
    return sorted(found, key=lambda row: row.finished_at is not None)[:limit]


async def is_of(session: AsyncSession, contact: ContactRow, row: DossierRow) -> bool:
    """Say whether a dossier is this person's: bound to one of their contacts, or known by the phone of one."""
    people = await same_person(session, contact)
    if row.phone_hash is not None and row.phone_hash in {one.phone_hash for one in people}:
        return True
    query = select(DossierPersonRow.contact_id).where(
        DossierPersonRow.dossier_id == row.id, *_proved([one.id for one in people])
    )
    return (await session.exec(query.limit(1))).first() is not None


async def contacts_of(session: AsyncSession, row: DossierRow) -> list[ContactRow]:
    """Return every contact whose dossier this is, bound or by the phone that they have shared, last heard of first."""
    # Asked for first: PostgreSQL would read all contacts for a subquery beside an "or".
    bound = select(DossierPersonRow.contact_id).where(DossierPersonRow.dossier_id == row.id, _NOT_BY_PHONE)
    mine: ColumnElement[bool] = col(ContactRow.id).in_(list((await session.exec(bound)).all()))
    if row.phone_hash is not None:
        mine = or_(mine, col(ContactRow.phone_hash) == row.phone_hash)
    alive = (ContactRow.kind == "person", ~col(ContactRow.anonymous), col(ContactRow.erased_at).is_(None))
    query = select(ContactRow).where(mine, *alive).order_by(col(ContactRow.last_interaction_at).desc())
    return list((await session.exec(query)).all())


async def unbound_with_phone(
    session: AsyncSession, phone_hash: str, contact_ids: Collection[str], limit: int
) -> tuple[list[str], int]:
    """Return the newest dossiers with this phone that none of the contacts is bound to, and how many it has in all."""
    bound = select(DossierPersonRow.dossier_id).where(col(DossierPersonRow.contact_id).in_(list(contact_ids)))
    query = select(DossierRow.id).where(DossierRow.phone_hash == phone_hash, col(DossierRow.id).not_in(bound))
    fresh = (await session.exec(query.order_by(col(DossierRow.status_at).desc()).limit(limit))).all()
    total = await session.exec(select(func.count()).select_from(DossierRow).where(DossierRow.phone_hash == phone_hash))
    return list(fresh), int(total.one())


async def bind(session: AsyncSession, dossier_ids: Sequence[str], contact_id: str, how: str, at: datetime) -> None:
    """Bind a contact to dossiers that it is not bound to yet; `how` as in DossierPersonRow."""
    rows = [{"dossier_id": one, "contact_id": contact_id, "how": how, "at": at} for one in dossier_ids]
    await add(session, DossierPersonRow, rows)


async def unbind(session: AsyncSession, contact_id: str) -> list[str]:
    """End everything that binds a contact to dossiers; returns which they are."""
    return await _unbound(session, col(DossierPersonRow.contact_id) == contact_id)


async def unbind_other_phones(session: AsyncSession, contact_id: str, phone_hash: str) -> list[str]:
    """End what another phone than this one had bound a contact to; returns which dossiers."""
    with_it = select(DossierRow.id).where(DossierRow.phone_hash == phone_hash)
    mine = (col(DossierPersonRow.contact_id) == contact_id, col(DossierPersonRow.how) == "phone")
    return await _unbound(session, *mine, col(DossierPersonRow.dossier_id).not_in(with_it))


async def _unbound(session: AsyncSession, *which: ColumnElement[bool]) -> list[str]:
    found = await session.exec(delete(DossierPersonRow).where(*which).returning(col(DossierPersonRow.dossier_id)))
    return list(found.scalars().all())
