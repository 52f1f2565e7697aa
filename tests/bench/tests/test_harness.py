"""A figure is the median of the runs whose books balance; the others are void and said so."""

import json
from pathlib import Path

import pytest

from bot.channels.zalo.webhook import verified_event
from tests.bench import __main__ as front
from tests.bench import harness
from tests.bench.harness import Benchmark, Figure, Options, Run, VoidError, median
from tests.bench.load import Load, request
from tests.bot.store.seed import NOW


async def run_all(outcomes: list[float | None], runs: int = 3) -> Figure:
    async def once(number: int) -> Run:
        value = outcomes[number]
        if value is None:
            raise VoidError("1 row for 2 acknowledgements")
        return Run(value, {"run": number})

    return await median("x", "1/s", Options(Path(), runs=runs), once)


async def test_the_middle_one_of_the_runs_counts_with_its_details() -> None:
    figure = await run_all([30.0, 10.0, 20.0])
    assert (figure.value, figure.n) == (20.0, 3)
    assert figure.detail == {"run": 2, "runs": [30.0, 10.0, 20.0], "void": 0}


async def test_a_void_run_is_said_and_does_not_count(capsys: pytest.CaptureFixture[str]) -> None:
    figure = await run_all([30.0, None, 10.0, 20.0])
    assert (figure.value, figure.n, figure.detail["void"]) == (20.0, 3, 1)
    assert "VOID, 1 row for 2 acknowledgements" in capsys.readouterr().out


async def test_too_many_void_runs_give_no_figure() -> None:
    with pytest.raises(VoidError):
        await run_all([None, None, None, 10.0])


def test_names_are_chosen_by_their_beginning(monkeypatch: pytest.MonkeyPatch) -> None:
    async def nothing(_options: Options) -> list[Figure]:
        return []

    one, two = Benchmark(("a.x", "a.y"), nothing), Benchmark(("b.x",), nothing)
    monkeypatch.setattr(harness, "REGISTERED", [one, two])
    assert harness.chosen([]) == [one, two]
    assert harness.chosen(["a"]) == [one]
    assert harness.chosen(["a.y", "b"]) == [one, two]
    assert harness.chosen(["c"]) == []


def test_figures_of_other_runs_stay_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "var" / "bench.json"
    front.write(path, [Figure("a", 1, "s", 3), Figure("b", 1, "s", 3)], quick=False)
    front.write(path, [Figure("b", 2, "s", 3, {"runs": [2]})], quick=True)
    document = json.loads(path.read_text())
    assert {it["name"]: (it["value"], it["quick"]) for it in document[1:]} == {"a": (1, False), "b": (2, True)}
    assert document[0]["detail"]["packages"]["aiohttp"]


def test_the_load_is_signed_as_zalo_signs_and_each_event_is_another() -> None:
    load = Load(port=1, count=2, run="r", app_id="1111222233334444555", oa_id="2222333344445555666", key="secret")
    keys = set()
    for number in range(2):
        head, _, body = request(load, number).partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
        event = verified_event(headers, body, load.app_id, load.key, {}, NOW)
        assert event is not None
        assert event.account == load.oa_id
        keys.add(event.key)
    assert len(keys) == 2
