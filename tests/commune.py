"""A small commune for tests: units, villages, categories, rules, staff, one account."""

from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from sqlalchemy import insert
from sqlmodel import SQLModel

from bot.store.accounts import AccountRow
from bot.store.staff import StaffRoleRow, StaffRow
from bot.store.unit_of_work import UnitOfWork
from bot.store.units import AreaRow, CategoryRow, RoutingRuleRow, UnitRow

OA = "2222333344445555666"
BOT = "7000000001"
ACCOUNTS = {"zalo": OA, "telegram": BOT}
"""The provider's own id of the commune's account, by provider."""
ROLES = {
    "official": ("official", "economy"),
    "head": ("unit_head", "economy"),
    "leader": ("leader", "commune"),
    "admin": ("admin", "commune"),
    "inspector": ("inspector", "commune"),
    "auditor": ("auditor", "commune"),
    "stranger": ("official", "police"),
}


@dataclass(frozen=True)
class Commune:
    """What was made; ids are the words themselves."""

    account: AccountRow
    staff: dict[str, StaffRow]


async def build(uow: UnitOfWork, kind: str = "state", oa_id: str = OA, provider: str = "zalo") -> Commune:
    """Make the commune in one transaction; its account is an Official Account, or a bot of another provider."""
    for table, rows in _furniture():
        await uow.session.exec(insert(table), params=rows)
    account = account_of(uow, provider, kind, oa_id if provider == "zalo" else ACCOUNTS[provider])
    staff = {
        key: StaffRow(id=key, email=f"{key}@thanhoai.example", name=f"Cán bộ {key}", password="-", created_at=uow.now)
        for key in ROLES
    }
    uow.session.add_all([account, *staff.values()])
    await uow.session.flush()
    roles = [{"staff_id": key, "role": role, "unit_id": unit_id} for key, (role, unit_id) in ROLES.items()]
    await uow.session.exec(insert(StaffRoleRow), params=roles)
    return Commune(account, staff)


@cache
def _furniture() -> list[tuple[type[SQLModel], list[dict[str, Any]]]]:
    """Return what is the same in every commune, table after table; thousands of tests make one."""
    since = date(2025, 7, 1)
    settings = {"fallback": "office", "phone": "024 0000 0000", "address": "Xã Thanh Oai", "hours": "8:00-17:00"}
    commune = UnitRow(
        id="commune", code="10183", name="UBND xã Thanh Oai", kind="commune", path="/commune/", valid_from=since,
        settings=settings,
    )  # fmt: skip
    divisions = [
        UnitRow(
            id=unit_id, code=f"10183.{unit_id}", name=name, kind="division", parent_id="commune",
            path=f"/commune/{unit_id}/", valid_from=since,
        )
        for unit_id, name in (("office", "Văn phòng"), ("economy", "Phòng Kinh tế"), ("police", "Công an xã"))
    ]  # fmt: skip
    areas = [
        AreaRow(id="kim-lam", unit_id="commune", name="Thôn Kim Lâm", aliases=["Kim Lâm"], position=1),
        AreaRow(id="cat-dong", unit_id="commune", name="Thôn Cát Động", aliases=[], position=2),
    ]
    categories = [
        CategoryRow(
            id=code, unit_id="commune", code=code, name=name, position=position, restricted=restricted,
            keywords=list(words), field_work=field_work,
        )
        for position, (code, name, words, restricted, field_work) in enumerate(_CATEGORIES)
    ]  # fmt: skip
    rules = [
        RoutingRuleRow(
            id="rule-1", unit_id="commune", position=1, category_id="dien-nuoc", target_unit_id="economy", note="điện"
        ),
        RoutingRuleRow(
            id="rule-2", unit_id="commune", position=2, words=["đánh nhau", "trộm"], target_unit_id="police"
        ),
    ]
    made: list[list[Any]] = [[commune], divisions, areas, categories, rules]
    return [(type(rows[0]), [row.model_dump() for row in rows]) for rows in made]


def account_of(
    uow: UnitOfWork, provider: str, kind: str, external_id: str, account_id: str = "account", unit_id: str = "commune"
) -> AccountRow:
    """Make the row of an account; only Official Accounts are of a kind."""
    return AccountRow(
        id=account_id,
        provider=provider,
        external_id=external_id,
        name="UBND xã Thanh Oai",
        kind=kind if provider == "zalo" else "",
        unit_id=unit_id,
        created_at=uow.now,
    )


_CATEGORIES = (
    ("ha-tang", "Hạ tầng – giao thông", ("đường", "ổ gà", "cầu", "cống"), False, True),
    ("dien-nuoc", "Điện – nước – chiếu sáng", ("đèn đường", "đèn", "điện", "nước sạch"), False, False),
    ("moi-truong", "Môi trường – rác thải", ("rác", "mùi hôi", "ô nhiễm"), False, False),
    ("dich-vu-cong", "Dịch vụ công – TTHC", ("thủ tục", "hồ sơ", "khai sinh"), False, False),
    ("thai-do-can-bo", "Thái độ cán bộ", ("hách dịch", "nhũng nhiễu"), True, False),
    ("khac", "Khác", (), False, False),
)
