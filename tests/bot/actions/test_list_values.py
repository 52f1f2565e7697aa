"""A long list is gone through once for a template, and again only when something about either has changed."""

from typing import Any

import pytest

from bot.actions.list_values import first_wrong
from bot.domain.template import Parameter
from bot.store import listed_audience
from bot.store.recipients import ListedRow, RecipientListRow
from tests.talk import Talk

GIVEN = {"name": "{{Họ tên}}"}


async def test_a_list_is_gone_through_once_for_a_template(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[int] = []
    real = listed_audience.good_lines

    async def counted(session: Any, list_id: str, after: int, limit: int = 2) -> Any:
        looks.append(after)
        return await real(session, list_id, after, limit)

    monkeypatch.setattr(listed_audience, "good_lines", counted)
    async with talk.runtime.units_of_work() as uow:
        about: dict[str, Any] = {"unit_id": "commune", "made_by": "official", "created_at": uow.now}
        row = RecipientListRow(
            id=uow.new_id(), name="l", file_name="a", state="ready", good=5, columns=["Họ tên"], checked_at=uow.now,
            **about,
        )  # fmt: skip
        uow.session.add(row)
        for n in range(1, 6):
            merged = {"Họ tên": "Ví Dụ" * (n if n > 3 else 1)}
            uow.session.add(ListedRow(list_id=row.id, n=n, recipient=f"user:{n}", address=str(n), merged=merged))
    short, long = (Parameter("name", longest=20),), (Parameter("name", longest=40),)
    async with talk.runtime.database.reading() as session:
        for _ in range(3):
            problems, line = await first_wrong(session, row.id, short, GIVEN)
            assert ([it.code for it in problems], line) == (["value_too_long"], 5)
        assert looks == [0, 2, 4]
        assert await first_wrong(session, row.id, long, GIVEN) == ([], None)
        assert await first_wrong(session, row.id, long, GIVEN) == ([], None)
        assert looks == [0, 2, 4, 0, 2, 4, 5], "another length is another question"
        problems, line = await first_wrong(session, row.id, short, {"name": "x" * 30})
        assert ([it.code for it in problems], line, len(looks)) == (["value_too_long"], None, 7), "no line matters"
    async with talk.runtime.units_of_work() as uow:
        gone = await uow.session.get(ListedRow, (row.id, 5))
        found = await uow.session.get(RecipientListRow, row.id)
        assert gone is not None
        assert found is not None
        await uow.session.delete(gone)
        found.good = 4
    async with talk.runtime.database.reading() as session:
        assert await first_wrong(session, row.id, short, GIVEN) == ([], None), "somebody was forgotten meanwhile"
