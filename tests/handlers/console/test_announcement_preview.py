"""Figures and the preview are there for browsers without JavaScript, too, as pages of their own."""

import pytest

from bot.store.staff import StaffRoleRow
from tests.handlers.console.test_announcements import RULES, WORDS, citizens, composed, member, text_of
from tests.handlers.console.visitor import Office


@pytest.mark.parametrize(
    ("part", "page", "said"), [("reach", "audience", "người sẽ nhận được"), ("preview", "words", "Kính mời")]
)
async def test_what_loads_by_itself_is_a_page_of_its_own_without_javascript(
    office: Office, part: str, page: str, said: str
) -> None:
    writer = await member(office, "broadcaster")
    await citizens(office)
    address = await composed(writer)
    offered = (await writer.page(f"{address}/{page}")).partition("<noscript><button")[2].partition("</noscript>")[0]
    assert f'formaction="{address}/{part}"' in offered
    assert 'form="step-form"' in offered
    assert f'<noscript><a class="btn" href="{address}/{part}"' in await writer.page(f"{address}/check")
    typed = {"step": page, **WORDS, **RULES}
    for answer in (await writer.get(f"{address}/{part}"), await writer.post(f"{address}/{part}", typed)):
        text = await text_of(answer)
        assert "<html" in text
        assert said in text
    bare = await text_of(await writer.get(f"{address}/{part}", **{"HX-Request": "true"}))
    assert said in bare
    assert "<html" not in bare


async def test_units_are_chosen_without_javascript(office: Office) -> None:
    async with office.runtime.units_of_work() as uow:
        uow.session.add(StaffRoleRow(staff_id="admin", role="broadcaster", unit_id="commune"))
    admin = await office.enter("admin")
    for path in ("/announcements/texts", "/announcements/new", "/admin/topics", "/admin/rules", "/admin/calendars"):
        form = (await admin.page(path)).partition("data-autosubmit")[2].partition("</form>")[0]
        assert '<noscript><button class="btn" type="submit">' in form, path
