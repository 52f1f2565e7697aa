"""Which lists of followers are read: every day once, each list to its end, and nobody left out who stands in one."""

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.follower_import import Listing, Part, after_page, first_plan, plan_beyond, with_tags

BEGUN = datetime(2026, 11, 23, 18, 30, tzinfo=UTC)
"""In Viet Nam it is the next day already."""
TODAY = date(2026, 11, 24)
DAY = timedelta(days=1)


def days(plan: list[Listing]) -> list[date]:
    found: list[date] = []
    for one in plan:
        if one.first is not None and one.last is not None:
            found += [one.first + n * DAY for n in range((one.last - one.first).days + 1)]
    return found


def test_at_first_everybody_then_each_day_of_a_year_once() -> None:
    plan = first_plan(BEGUN)
    assert plan[0] == Listing(Part.EVERYBODY)
    assert sorted(days(plan), reverse=True) == [TODAY - n * DAY for n in range(365)]


def test_the_days_of_the_reply_window_stand_for_themselves() -> None:
    assert [one.days for one in first_plan(BEGUN)[1:8]] == [(TODAY - n * DAY,) * 2 for n in range(7)]


def test_beyond_what_is_listed_come_tags_then_each_day_since_anybody_could_follow() -> None:
    plan = plan_beyond(BEGUN)
    assert plan[0] == Listing(Part.TAGS)
    found = days(plan)
    assert (len(found), max(found), min(found)) == (len(set(found)), TODAY, date(2012, 1, 1))
    assert len(found) == (TODAY - date(2012, 1, 1)).days + 1


def test_each_tag_is_read_once() -> None:
    plan = with_tags([Listing(Part.TAGS), Listing(Part.EVERYBODY)], ["thôn 1", "thôn 2", "thôn 1"])
    assert plan == [Listing(Part.TAG, "thôn 1"), Listing(Part.TAG, "thôn 2"), Listing(Part.EVERYBODY)]


def test_somebody_of_a_period_was_heard_of_since_it_began_in_viet_nam() -> None:
    period = Listing(Part.DAYS, first=date(2026, 11, 24), last=date(2026, 11, 30))
    assert period.heard_since == datetime(2026, 11, 23, 17, tzinfo=UTC)
    assert Listing(Part.TAG, "x").heard_since is None


@given(first=st.dates(date(2012, 1, 1), date(2030, 1, 1)), length=st.integers(0, 800))
def test_halves_are_the_whole(first: date, length: int) -> None:
    period = Listing(Part.DAYS, first=first, last=first + length * DAY)
    halves = period.halves()
    assert bool(halves) == (length > 0)
    assert not halves or sorted(days(halves)) == days([period])
    assert Listing.from_json(period.to_json()) == period


@given(
    heard=st.dictionaries(st.integers(0, 700), st.integers(1, 60), max_size=8),
    never=st.integers(0, 120),
    page=st.integers(1, 25),
    readable=st.integers(30, 60),
)
def test_whoever_was_heard_of_is_found_wherever_lists_end(
    heard: dict[int, int], never: int, page: int, readable: int
) -> None:
    """Read against a provider that lists no more than `readable`: only one day with more people hides any of them."""
    people = [(f"{ago}/{n}", TODAY - ago * DAY) for ago, number in sorted(heard.items()) for n in range(number)]
    people += [(f"never/{n}", date.min) for n in range(never)]
    found: set[str] = set()
    plan, offset, beyond, requests = first_plan(BEGUN), 0, False, 0
    while plan:
        requests += 1
        assert requests < 2000
        if plan[0].part is Part.TAGS:
            plan, offset = with_tags(plan, []), 0
            continue
        span = plan[0].days
        listed = [name for name, day in people if span is None or span[0] <= day <= span[1]]
        end = min(offset + page, readable)
        found |= set(listed[offset:end])
        follows = end if end < min(len(listed), readable) else None
        plan, offset, cut_off = after_page(plan, BEGUN, follows, cut=len(listed) > readable)
        beyond = beyond or cut_off
    assert beyond == (len(people) > readable)
    hidden = sum(max(0, number - readable) for number in heard.values())
    missing = [name for name, _ in people if name not in found and not name.startswith("never")]
    assert len(missing) <= hidden
