"""Act one step of a report through the verb that the service itself uses."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.actions import answer_case, citizen_case, live, work_case
from bot.actions.messages import bot_says
from bot.actions.report_case import open_case
from bot.demo.data import Report, Step
from bot.demo.stage import Stage
from bot.domain.conversation import Draft
from bot.store.cases import CaseRow
from bot.store.unit_of_work import SYSTEM, Actor, UnitOfWork

_TO_CONFIRM = timedelta(seconds=50)
_TO_REMARK = timedelta(seconds=30)


@dataclass(slots=True)
class Scene:
    """One step of one report: who acts when, on which case."""

    stage: Stage
    report: Report
    step: Step
    case: CaseRow
    uow: UnitOfWork

    @property
    def text(self) -> str:
        """The words of the step with real dates."""
        return self.stage.days.fill(self.step.text)

    async def bot(self, template: str, **values: object) -> None:
        """Let the bot say one of its texts in this case's chat."""
        account = self.stage.commune.accounts[self.report.account]
        contact = self.stage.contacts[self.report.sender]
        values = {"code": self.case.code, **values}
        await bot_says(self.uow, account, contact, template, values, case_id=self.case.id)


async def open_report(stage: Stage, report: Report, moment: datetime) -> None:
    """Let a citizen send a report and get its code."""
    text = stage.days.fill(report.text)
    message_ids = await stage.hear(report, moment, text, report.photos)
    contact, account = stage.contacts[report.sender], stage.commune.accounts[report.account]
    area = stage.commune.areas.get(report.area)
    draft = Draft(
        started_at=moment.isoformat(),
        kind=report.kind,
        category_id=stage.commune.categories[report.category].id,
        text=text,
        place=report.place,
        area_id=area.id if area else "",
        latitude=report.latitude,
        longitude=report.longitude,
        photos=len(report.photos),
        message_ids=message_ids,
    )
    uow = stage.at(moment + _TO_CONFIRM, Actor("citizen", contact.id, contact.name))
    opened = await open_case(uow, account, contact, draft)
    case = opened.case
    if report.complained:
        case.complained_unit_id = stage.commune.units[report.complained].id
    stage.cases[report.key] = case
    question = report.kind == "question"
    values = {"unit": opened.unit.name, "due_at": case.due_at, "restricted": case.restricted, "question": question}
    await Scene(stage, report, Step(at="", by="citizen", does="open"), case, uow).bot("report_sent", **values)


async def act(stage: Stage, report: Report, step: Step, moment: datetime) -> None:
    """Do one step at its moment."""
    case = stage.cases[report.key]
    match step.by:
        case "citizen":
            contact = await stage.citizen(report, moment)
            actor = Actor("citizen", contact.id, contact.name)
        case "system":
            actor = SYSTEM
        case key:
            actor = stage.staff(key)
    await VERBS[step.does](Scene(stage, report, step, case, stage.at(moment, actor)))


async def _accept(scene: Scene) -> None:
    await work_case.accept(scene.uow, scene.case.id)


async def _hand_over(scene: Scene) -> None:
    unit = scene.stage.commune.units[scene.step.unit]
    await work_case.hand_over(scene.uow, scene.case.id, None, unit.id, None, scene.text)


async def _note(scene: Scene) -> None:
    await work_case.add_note(scene.uow, scene.case.id, scene.text)


async def _level(scene: Scene) -> None:
    await work_case.set_level(scene.uow, scene.case.id, None, scene.step.level, scene.text)


async def _ask(scene: Scene) -> None:
    settings = scene.stage.settings
    await work_case.ask_back(scene.uow, scene.case.id, None, scene.text, settings.undo_seconds, settings.live_minutes)


async def _reply(scene: Scene) -> None:
    ids = await scene.stage.hear(scene.report, scene.uow.now, scene.text, scene.step.photos)
    await citizen_case.reply(scene.uow, scene.case, ids, scene.text)
    if not live.is_live(scene.uow, scene.stage.contacts[scene.report.sender]):
        await scene.bot("reply_passed_on")


async def _write(scene: Scene) -> None:
    ids = await scene.stage.hear(scene.report, scene.uow.now, scene.text, scene.step.photos)
    await citizen_case.reply(scene.uow, scene.case, ids, scene.text)


async def _answer(scene: Scene) -> None:
    files = [scene.stage.keep_photo(name, scene.uow.now).id for name in scene.step.photos]
    settings = scene.stage.settings
    await answer_case.submit(
        scene.uow, scene.case.id, None, scene.text, files, settings.undo_seconds, settings.live_minutes
    )


async def _approve(scene: Scene) -> None:
    settings = scene.stage.settings
    approved = await answer_case.approve(scene.uow, scene.case.id, None, settings.undo_seconds, settings.live_minutes)
    await scene.stage.deliver(approved.data["outbox_ids"])


async def _send_back(scene: Scene) -> None:
    await answer_case.send_back(scene.uow, scene.case.id, None, scene.text)


async def _rate(scene: Scene) -> None:
    await citizen_case.rate(scene.uow, scene.case.id, scene.step.rating)
    if scene.step.rating == citizen_case.DISSATISFIED:
        await scene.bot("rated_low", again=scene.case.reopened > 0)
    else:
        await scene.bot("rated")
    if scene.text:
        scene.uow = scene.stage.at(scene.uow.now + _TO_REMARK, scene.uow.actor)
        await citizen_case.remark(scene.uow, scene.case.id, scene.text)
        await scene.bot("thanks")


async def _reopen(scene: Scene) -> None:
    ids = await scene.stage.hear(scene.report, scene.uow.now, scene.text, scene.step.photos)
    await citizen_case.dissatisfied(scene.uow, scene.case.id, scene.text, ids)
    await scene.bot("reopened", due_at=scene.case.due_at)


async def _close(scene: Scene) -> None:
    await citizen_case.close_unrated(scene.uow, scene.case.id)


async def _merge(scene: Scene) -> None:
    await work_case.merge(scene.uow, scene.case.id, None, scene.stage.cases[scene.step.into].code)


async def _refuse(scene: Scene) -> None:
    await work_case.refuse(scene.uow, scene.case.id, None, scene.text, scene.step.basis)


async def _forward(scene: Scene) -> None:
    await work_case.forward(scene.uow, scene.case.id, None, scene.step.agency, scene.text)


VERBS: dict[str, Callable[[Scene], Awaitable[None]]] = {
    "accept": _accept,
    "hand_over": _hand_over,
    "note": _note,
    "level": _level,
    "ask": _ask,
    "reply": _reply,
    "write": _write,
    "answer": _answer,
    "approve": _approve,
    "send_back": _send_back,
    "rate": _rate,
    "reopen": _reopen,
    "close": _close,
    "merge": _merge,
    "refuse": _refuse,
    "forward": _forward,
}
