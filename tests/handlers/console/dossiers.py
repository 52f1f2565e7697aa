"""Dossiers of the test commune, taken in as an export of the one-stop system would bring them."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from bot.actions.dossiers import News, take_in
from bot.domain.dossier import Status
from bot.runtime import Runtime
from bot.store import dossiers
from bot.store.dossiers import DossierRow
from bot.store.procedures import ProcedureRow

PHONE = "84900000001"
NAME = "Nguyễn Văn Mẫu"


def code_of(number: int) -> str:
    return f"000.00.01.H26-261101-{number:04d}"


async def procedure(runtime: Runtime, days: int | None = 5, code: str = "1.000253") -> None:
    """Keep a procedure with a limit."""
    async with runtime.units_of_work() as uow:
        row = ProcedureRow(
            id=code, code=code, name="Đăng ký khai sinh", search="dang ky khai sinh", field="Hộ tịch", days=days,
            updated_at=uow.now,
        )  # fmt: skip
        await uow.session.merge(row)


def news(
    number: int, status: Status, at: datetime, *, unit: str = "economy", applicant: str = NAME, phone: str = PHONE,
    **facts: Any,
) -> News:  # fmt: skip
    """Return one report of a dossier."""
    told = {"procedure_code": "1.000253", "procedure_name": "Đăng ký khai sinh", **facts}
    path = "/commune/" if unit == "commune" else f"/commune/{unit}/"
    return News(code_of(number), status, at, unit, path, told, applicant, phone)


async def taken(runtime: Runtime, reports: Sequence[News]) -> dict[str, DossierRow]:
    """Take reports in and return the dossiers by code."""
    async with runtime.units_of_work() as uow:
        await take_in(uow, runtime.box, reports, "import:test")
    async with runtime.database.reading() as session:
        return await dossiers.by_codes(session, {one.code for one in reports})


async def working_on(
    runtime: Runtime, number: int, *, received: timedelta, due: timedelta, unit: str = "economy", **facts: Any
) -> DossierRow:
    """Take in a dossier that is being worked on; both times counted from now, forwards."""
    now = runtime.now()
    at = now + received
    told = {"received_at": at, "due_at": now + due, **facts}
    reports = [news(number, Status.ACCEPTED, at, unit=unit, **told)]
    reports.append(news(number, Status.PROCESSING, at + timedelta(minutes=5), unit=unit))
    return (await taken(runtime, reports))[code_of(number)]
