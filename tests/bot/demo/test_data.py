"""What is written in the demo data hangs together, reads well and never points into the future."""

import re
import unicodedata
from collections import Counter
from datetime import UTC, datetime

import pytest

from bot.actions.procedure_file import read_procedures
from bot.demo.data import DATA, Report, Step, read_commune, read_reports
from bot.demo.days import Days
from bot.demo.dossiers import read_dossiers
from bot.demo.photos import draw
from bot.demo.steps import VERBS
from bot.domain.calendar import WorkingCalendar, prefill, prefill_worked
from bot.domain.dossier import TELL_WITHIN
from bot.domain.dossier_code import canonical
from bot.domain.text import clean
from bot.domain.words import find_area, is_conduct_report, is_denunciation, is_secret

COMMUNE = read_commune()
REPORTS = read_reports()
STEPS = [(report, step) for report in REPORTS for step in report.steps]
TEXTS = [r.text for r in REPORTS] + [s.text for _, s in STEPS if s.text]
LOADED_AT = {
    "a Monday morning": datetime(2026, 11, 23, 2, 0, tzinfo=UTC),
    "midnight in Viet Nam": datetime(2026, 11, 23, 17, 0, 1, tzinfo=UTC),
    "a Sunday": datetime(2026, 11, 22, 8, 0, tzinfo=UTC),
    "amid Tết": datetime(2027, 2, 8, 3, 0, tzinfo=UTC),
    "the first week of January": datetime(2027, 1, 5, 9, 30, tzinfo=UTC),
}


def calendar(now: datetime) -> WorkingCalendar:
    years = [now.year - 1, now.year, now.year + 1]
    return WorkingCalendar(
        days_off=dict(prefill(years)), days_worked=dict.fromkeys(prefill_worked(years), ""), confirmed_years=frozenset()
    )


def opened(days: Days, report: Report) -> datetime:
    return days.moment(report.at) if report.at else days.ago(report.ago)


def test_there_are_forty_reports_with_keys_of_their_own() -> None:
    assert len(REPORTS) == 40
    assert len({report.key for report in REPORTS}) == 40


def test_every_procedure_is_read_as_it_is_meant() -> None:
    lines = read_procedures(DATA / "procedures.csv")
    assert [line for line in lines if line.procedure is None] == []
    found = [line.procedure for line in lines if line.procedure]
    assert len(found) == 13
    assert all(one.days is not None and one.field and (one.fee is not None or one.fee_words) for one in found)
    same_day = {"1.001193", "1.000656", "2.000635", "2.000815"}
    assert {one.code for one in found if one.days == 0} == same_day
    assert all(bool(one.online) == bool(one.online_url) for one in found)


@pytest.mark.parametrize("now", LOADED_AT.values(), ids=LOADED_AT)
def test_every_dossier_is_a_week_old_and_has_a_code_of_its_own(now: datetime) -> None:
    days = Days(now, calendar(now))
    known = {line.procedure.code for line in read_procedures(DATA / "procedures.csv") if line.procedure}
    codes = [days.fill(one["code"]) for one in read_dossiers()]
    assert [canonical(code) for code in codes] == codes
    assert len(set(codes)) == len(codes)
    for one in read_dossiers():
        moments = [days.moment(step["at"]) for step in one["step"]]
        assert moments == sorted(moments), one["code"]
        assert moments[-1] < now - TELL_WITHIN, one["code"]
        assert one["procedure"] in known
        assert one["unit"] in {unit.key for unit in COMMUNE.units}


def test_everything_that_is_referred_to_exists() -> None:
    units = {unit.key for unit in COMMUNE.units}
    areas = {area.name for area in COMMUNE.areas}
    people = {person.key for person in COMMUNE.people} | {"citizen", "system"}
    assert {r.category for r in REPORTS} == {c.code for c in COMMUNE.categories}
    assert {r.area for r in REPORTS} <= areas | {""}
    assert {r.complained for r in REPORTS} <= units | {""}
    assert {r.account for r in REPORTS} == {a.key for a in COMMUNE.accounts} - {"telegram"}
    assert {s.by for _, s in STEPS} <= people
    assert {s.unit for _, s in STEPS} <= units | {""}
    assert {s.does for _, s in STEPS} == set(VERBS)
    assert {rule.unit for rule in COMMUNE.rules} <= units
    assert all(unit in units for person in COMMUNE.people for _, unit in person.roles)


def test_what_people_have_chosen_exists_and_they_have_written() -> None:
    areas, topics = {area.name for area in COMMUNE.areas}, {topic.name for topic in COMMUNE.topics}
    for one in COMMUNE.choices:
        assert {*one.areas, *one.noted_areas} <= areas, one.sender
        assert {*one.on, *one.off} <= topics, one.sender
    assert {one.sender for one in COMMUNE.choices} <= {report.sender for report in REPORTS}
    assert [topic.name for topic in COMMUNE.topics if topic.advert and topic.default_on] == []


def test_a_contact_writes_to_one_account() -> None:
    accounts = {(report.sender, report.account) for report in REPORTS}
    assert max(Counter(sender for sender, _ in accounts).values()) == 1


@pytest.mark.parametrize("now", LOADED_AT.values(), ids=LOADED_AT.keys())
def test_things_happen_in_order_and_in_the_past(now: datetime) -> None:
    days = Days(now, calendar(now))
    for report in REPORTS:
        moments = [opened(days, report), *(days.moment(step.at) for step in report.steps)]
        assert moments == sorted(moments), report.key
        assert moments[-1] < now, report.key


@pytest.mark.parametrize("now", LOADED_AT.values(), ids=LOADED_AT.keys())
def test_officials_act_in_working_hours(now: datetime) -> None:
    days, hours = Days(now, calendar(now)), calendar(now)
    for report, step in STEPS:
        if step.by not in {"citizen", "system"}:
            moment = days.moment(step.at)
            assert any(a <= moment < b for a, b in hours.day_intervals(hours.local_date(moment))), (report.key, step.at)


def test_only_who_may_approve_approves() -> None:
    by = {
        step.by
        for report, step in STEPS
        if step.does in {"approve", "send_back"} and report.category != "thai-do-can-bo"
    }
    assert by == {"truong-phong", "lanh-dao"}


def test_reports_about_conduct_are_the_inspectors_alone() -> None:
    conduct = [report for report in REPORTS if report.category == "thai-do-can-bo"]
    assert len(conduct) == 2
    for report in conduct:
        assert report.complained
        assert is_conduct_report(report.text)
        assert {step.by for step in report.steps} <= {"thanh-tra", "citizen"}


def test_citizens_write_in_many_ways() -> None:
    unaccented = [
        r for r in REPORTS if r.text == unicodedata.normalize("NFD", r.text).encode("ascii", "ignore").decode()
    ]
    assert len(unaccented) >= 6
    assert len([r for r in REPORTS if r.photos]) >= 12
    assert len([r for r in REPORTS if r.kind == "question"]) >= 4
    lengths = [len(r.text) for r in REPORTS]
    assert min(lengths) < 70
    assert max(lengths) > 180


def test_no_report_would_have_been_turned_away_by_the_bot() -> None:
    assert [r.key for r in REPORTS if is_denunciation(r.text) or is_secret(r.text)] == []


def test_a_village_named_in_a_report_is_the_one_it_was_put_to() -> None:
    areas = [(area.name, [area.name, *area.aliases]) for area in COMMUNE.areas]
    for report in REPORTS:
        assert set(find_area(report.text, areas)) <= {report.area}, report.key


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_texts_hold_nothing_that_breaks_a_page_or_belongs_to_a_real_person(text: str) -> None:
    assert clean(text) == text
    assert not re.search(r"[<>&{}]", re.sub(r"\{[dy]-?\d+\}", "", text))
    for number in re.findall(r"\d[\d .]{7,}\d", text):
        assert re.sub(r"\D", "", number).startswith(("0900000", "0240000", "0000000000")) or "H26" in text, number


def test_answers_say_something_and_field_work_shows_it() -> None:
    field_work = {c.code for c in COMMUNE.categories if c.field_work}
    answers = [(report, step) for report, step in STEPS if step.does == "answer"]
    assert len(answers) >= 20
    for report, step in answers:
        assert len(step.text) >= 60
        assert bool(step.photos) == (report.category in field_work), report.key
        assert all(name.endswith(":fixed") for name in step.photos)


def test_dates_in_texts_become_real_ones() -> None:
    days = Days(LOADED_AT["a Monday morning"], calendar(LOADED_AT["a Monday morning"]))
    assert days.fill("từ {d1} đến {d-1}, mã {y2}") == "từ 20/11/2026 đến 25/11/2026, mã 261119"


def test_a_photo_is_a_small_jpeg_and_the_same_place_every_time() -> None:
    before, after = draw("road:1"), draw("road:1:fixed")
    assert draw("road:1").sha256 == before.sha256 != after.sha256
    assert before.media_type == "image/jpeg"
    assert b"Exif" not in before.data
    assert (before.width, before.height) == (640, 480)
    assert len(before.data) < 100_000
    assert before.thumbnail is not None
    assert len(before.thumbnail) < len(before.data)


def test_a_step_has_a_moment() -> None:
    assert all(re.fullmatch(r"\d{1,2} \d\d:\d\d", step.at) for _, step in STEPS)
    assert all(bool(report.at) != bool(report.ago) for report in REPORTS)
    assert isinstance(STEPS[0][1], Step)
