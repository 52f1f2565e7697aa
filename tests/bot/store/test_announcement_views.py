"""What pages of announcements read: tags of one's own people only, a phone's contact, what has changed."""

from datetime import timedelta

from bot.runtime import Runtime
from bot.store import announcement_views
from bot.store.contacts import ContactRow
from bot.store.marks import MarkRow
from tests import commune


async def people(runtime: Runtime) -> None:
    """Let two accounts know two people each, with tags, all but one by the same phone."""
    async with runtime.units_of_work() as uow:
        made = await commune.build(uow)
        other = commune.account_of(uow, "zalo", "state", "999", "other", "police")
        uow.session.add(other)
        await uow.session.flush()
        for n, (account, tag) in enumerate(
            [(made.account.id, "trưởng thôn"), (made.account.id, "hộ nghèo"), ("other", "hộ nghèo"), ("other", "khác")]
        ):
            uow.session.add(
                ContactRow(
                    id=f"c{n}",
                    account_id=account,
                    external_id=str(n),
                    phone_hash="same" if n else "alone",
                    last_interaction_at=uow.now - timedelta(days=n),
                    erased_at=uow.now if n == 1 else None,
                    created_at=uow.now,
                )
            )
            uow.session.add(MarkRow(kind="tag", value=tag, contact_id=f"c{n}", at=uow.now))
        uow.session.add(MarkRow(kind="area", value="kim-lam", contact_id="c0", at=uow.now))


async def test_tags_are_those_of_ones_own_accounts(runtime: Runtime) -> None:
    await people(runtime)
    async with runtime.database.reading() as session:
        assert await announcement_views.tags(session, ["account"]) == ["hộ nghèo", "trưởng thôn"]
        assert await announcement_views.tags(session, ["other"]) == ["hộ nghèo", "khác"]
        assert await announcement_views.tags(session, ["account", "other"], 2) in (
            ["hộ nghèo", "khác"],
            ["hộ nghèo", "trưởng thôn"],
            ["khác", "trưởng thôn"],
        )
        assert await announcement_views.tags(session, []) == []
        assert await announcement_views.tags(session, ["nobody"]) == []


async def test_a_phone_finds_the_contact_that_was_heard_of_last_and_nobody_erased(runtime: Runtime) -> None:
    await people(runtime)
    async with runtime.database.reading() as session:
        tags = ["hộ nghèo", "khác", "trưởng thôn"]
        found = await announcement_views.with_phone(session, ["account", "other"], "same", tags)
        assert found is not None
        assert found.id == "c2"
        later = await announcement_views.with_phone(session, ["account", "other"], "same", ["khác"])
        assert later is not None
        assert later.id == "c3"
        assert await announcement_views.with_phone(session, ["account", "other"], "same", ["trưởng thôn"]) is None
        assert await announcement_views.with_phone(session, ["account"], "same", tags) is None
        assert await announcement_views.with_phone(session, ["other"], "alone", tags) is None


async def test_nothing_asked_for_is_nothing_found(runtime: Runtime) -> None:
    async with runtime.database.reading() as session:
        assert await announcement_views.by_ids(session, []) == []
        assert await announcement_views.last_runs(session, []) == {}
        assert await announcement_views.progress(session, []) == {}
        assert await announcement_views.latest(session, ()) == []
        assert await announcement_views.named_areas(session, ()) == []
        assert await announcement_views.named_topics(session, ()) == []
        assert not await announcement_views.changed_since(session, runtime.now() - timedelta(days=1))
