"""Every button for every role in every state: what may be done, and what is said when it may not."""

import pytest

from bot.actions import answer_case, case_rights, work_case
from bot.domain.access import GRANTS, Grant, Grants, Permission, Role
from bot.domain.card import MAX_PAYLOAD, VERBS, Press, is_payload, payload, read_payload
from bot.domain.case import CaseState, allowed
from bot.store.cases import CaseRow
from handlers.routes import TABLE
from tests.commune import ROLES
from tests.handlers.official.pocket import GROUP, SENDERS, Pocket

PATHS = {"economy": "/commune/economy/", "police": "/commune/police/", "commune": "/commune/"}
HELD = {key: Grants((Grant(Role(role), PATHS[unit]),)) for key, (role, unit) in ROLES.items()}
CARD_BUTTONS = (Press.TAKE, Press.ANSWER, Press.ASK, Press.HAND_OVER, Press.APPROVE, Press.SEND_BACK)
ADDRESSES = {
    Press.TAKE: "/cases/{id}/accept",
    Press.ANSWER: "/cases/{id}/answer",
    Press.ASK: "/cases/{id}/ask",
    Press.HAND_OVER: "/cases/{id}/hand-over",
    Press.APPROVE: "/cases/{id}/approve",
    Press.SEND_BACK: "/cases/{id}/send-back",
}
WORDS = "Đã thay bóng đèn trước cổng chợ lúc 15 giờ."


@pytest.mark.parametrize("press", CARD_BUTTONS)
def test_a_button_asks_for_the_permission_of_the_consoles(press: Press) -> None:
    route = next(route for route in TABLE if route.path == ADDRESSES[press])
    assert case_rights.permission_for(VERBS[press]) is route.permission


def test_buttons_fit_what_a_provider_carries_and_come_back_whole() -> None:
    long = "0" * 26
    for press in Press:
        for extra in (99999, long):
            made = payload(press, long, extra)
            assert len(made.encode()) <= MAX_PAYLOAD
            assert is_payload(made)
            read = read_payload(made)
            assert read is not None
            assert (read.press, read.ref, read.extra) == (press, long, str(extra))
    for odd in ("c:", "c:unknown:1", "c:take:1:2:3", "d:take:1", "", "c", "take"):
        assert read_payload(odd) is None


def may(key: str, press: Press, case: CaseRow) -> bool:
    seen = HELD[key].over(Permission.CASE_READ, case.path)
    return seen and HELD[key].over(case_rights.permission_for(VERBS[press]), case.path)


async def card_payload(pocket: Pocket, who: str, press: Press, case: CaseRow) -> str:
    """Return what a button of this chat's card would carry, shown or not."""
    taken = next(b.payload for b in pocket.card(who).buttons)
    tap = read_payload(taken)
    assert tap is not None
    return payload(press, tap.ref, (await pocket.case(case)).version)


@pytest.mark.parametrize("key", list(ROLES))
async def test_every_button_in_a_group_by_every_role(pocket: Pocket, key: str) -> None:
    """In a group everybody sees all buttons; each acts as themselves."""
    await pocket.link(key)
    await pocket.link_group()
    for press in CARD_BUTTONS:
        case = await pocket.new_case(text=f"Đèn đường số {press.value} hỏng, rất tối và nguy hiểm")
        if press in {Press.APPROVE, Press.SEND_BACK}:
            async with pocket.as_staff("official") as uow:
                await answer_case.submit(uow, case.id, None, WORDS, [], 0, 30)
            await pocket.settle()
        before = len(pocket.screen(GROUP))
        toast = await pocket.press(key, await card_payload(pocket, GROUP, press, case), chat=GROUP)
        said = pocket.screen(GROUP)[before:]
        now = await pocket.case(case)
        if not may(key, press, case):
            assert "Không có quyền" in toast, (key, press)
            assert said == []
            assert now.version == (await pocket.case(case)).version
            assert now.state in {CaseState.ASSIGNED, CaseState.DRAFTED}
        elif press is Press.TAKE:
            assert "Đã nhận" in toast
            assert (now.state, now.owner_id) == (CaseState.IN_PROGRESS, key)
        elif press is Press.APPROVE:
            assert now.state in {CaseState.APPROVED, CaseState.ANSWERED}
            assert "đã duyệt" in said[0].text
        else:
            assert (toast, len(said)) == ("", 1)
            assert f"Cán bộ {key}" in said[0].text


@pytest.mark.parametrize("key", list(ROLES))
async def test_a_private_card_shows_exactly_what_its_reader_may(pocket: Pocket, key: str) -> None:
    await pocket.link(key)
    case = await pocket.make_case()
    await pocket.settle()
    await pocket.say(key, f"/tim {case.code}")
    if not HELD[key].over(Permission.CASE_READ, case.path):
        assert not pocket.has_card(key)
        return
    shown = {read_payload(b.payload).press for b in pocket.card(key).buttons}  # type: ignore[union-attr]  # they are ours
    wanted = {p for p in CARD_BUTTONS if may(key, p, case) and allowed(VERBS[p], CaseState(case.state))}
    assert shown == wanted


async def test_roles_grant_something_to_test() -> None:
    """The table above is made from the rights: some may everything, some nothing."""
    working = {key for key in ROLES if Permission.CASE_WORK in GRANTS[Role(ROLES[key][0])]}
    assert working == {"official", "head", "inspector", "stranger"}


async def test_somebody_who_is_no_official_is_told_how_to_become_one(pocket: Pocket) -> None:
    await pocket.link_group()
    case = await pocket.new_case()
    toast = await pocket.press("9999", await card_payload(pocket, GROUP, Press.TAKE, case), chat=GROUP)
    assert "Chưa nối tài khoản" in toast
    assert (await pocket.case(case)).state == CaseState.ASSIGNED


async def test_an_old_button_is_told_the_state(pocket: Pocket) -> None:
    await pocket.link("official", "head")
    case = await pocket.new_case()
    old = pocket.card("official").payload("Nhận việc")
    async with pocket.as_staff("head") as uow:
        await work_case.accept(uow, case.id)
    toast = await pocket.press("official", old)
    assert case.code in toast
    assert "đang xử lý" in toast
    assert (await pocket.case(case)).owner_id == "head"


async def test_an_answer_is_not_approved_by_the_button_under_another_one(pocket: Pocket) -> None:
    await pocket.link("head")
    case = await pocket.new_case()
    async with pocket.as_staff("official") as uow:
        await answer_case.submit(uow, case.id, None, WORDS, [], 0, 30)
    await pocket.settle()
    old = pocket.card("head").payload("Duyệt")
    async with pocket.as_staff("head") as uow:
        await answer_case.send_back(uow, case.id, None, "Chưa rõ")
    async with pocket.as_staff("official") as uow:
        await answer_case.submit(uow, case.id, None, "Một câu trả lời hoàn toàn khác, chưa ai đọc.", [], 0, 30)
    toast = await pocket.press("head", old)
    assert "chờ duyệt câu trả lời" in toast
    assert (await pocket.case(case)).state == CaseState.DRAFTED
    await pocket.settle()
    await pocket.tap("head", pocket.card("head"), "Duyệt")
    assert (await pocket.case(case)).state == CaseState.ANSWERED


async def test_buttons_of_other_chats_and_nonsense_do_nothing(pocket: Pocket) -> None:
    await pocket.link("official", "head")
    case = await pocket.new_case()
    foreign = pocket.card("official").payload("Nhận việc")
    for odd in (
        foreign,
        "c:take:nothing:1",
        "c:undo:nothing",
        "c:show:nothing",
        "c:x:nothing",
        "c:odd",
        "c:pg:1:99999",
    ):
        toast = await pocket.press("head", odd)
        assert toast, odd
    assert (await pocket.case(case)).state == CaseState.ASSIGNED


async def test_the_audit_log_names_the_official_and_the_channel(pocket: Pocket) -> None:
    from bot.store import audit

    await pocket.link("official")
    case = await pocket.new_case()
    await pocket.tap("official", pocket.card("official"), "Nhận việc")
    async with pocket.runtime.database.reading() as session:
        row = (await audit.latest(session, 1, "case.accept", f"case:{case.id}"))[0]
    assert (row.actor_kind, row.actor_id, row.data["origin"]) == ("staff", "official", "telegram")


async def test_a_tap_of_a_citizen_on_a_card_opens_the_menu(pocket: Pocket) -> None:
    await pocket.link("official")
    await pocket.new_case()
    taken = pocket.card("official").payload("Nhận việc")
    before = len(pocket.screen("7777"))
    await pocket.press("7777", taken)
    said = pocket.screen("7777")[before:]
    assert any("Phản ánh" in label for label in said[0].labels)
    assert SENDERS["official"] != "7777"
