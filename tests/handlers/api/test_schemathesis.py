"""The interface as its own OpenAPI document describes it: whatever that allows is asked, and what it forbids too."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import CheckFunction
from schemathesis.core.result import Ok
from schemathesis.specs.openapi import checks

from handlers.api.openapi import described
from tests.handlers.api.conftest import CODE, System, item
from tests.runtime_fixtures import Clock

EXCLUDED: list[CheckFunction] = [
    # An item that is wrong is refused by itself, in an answer of 200, and no schema can say which dates there are.
    checks.negative_data_rejection,
    checks.positive_data_acceptance,
]
EXAMPLES = 15
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def ask(system: System, clock: Clock, operation: Any, mode: schemathesis.GenerationMode) -> None:
    """Ask one operation many things; any answer that is not as described raises."""
    given_key = {"Authorization": f"Bearer {system.key}"}

    @settings(
        max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )  # fmt: skip
    @given(case=operation.as_strategy(generation_mode=mode))
    def asked(case: schemathesis.Case[Any]) -> None:
        clock.forward(hours=2)  # wrong keys are tried as well, and would soon have to wait
        case.call_and_validate(base_url=system.url, headers=given_key, excluded_checks=EXCLUDED, timeout=10)

    run: Callable[[], None] = asked
    run()


@pytest.mark.parametrize(
    ("name", "mode"),
    [
        (name, mode)
        for name in ("pushDossiers", "pushDossierEvent", "showDossier", "describe")
        for mode in schemathesis.GenerationMode
        if not (name == "describe" and mode.is_negative)  # it takes nothing that could be wrong
    ],
)
async def test_answers_are_as_the_document_says(
    system: System, clock: Clock, name: str, mode: schemathesis.GenerationMode
) -> None:
    system.calls.limit = 1_000_000
    await system.push(item(), item(TrangThaiHoSo=5, ThoiGian="2026-11-23T08:45:00+07:00"))
    found = schemathesis.openapi.from_dict(described()).get_all_operations()
    operations = [each.ok() for each in found if isinstance(each, Ok)]
    operation = next(each for each in operations if each.definition.raw["operationId"] == name)
    await asyncio.to_thread(ask, system, clock, operation, mode)


async def test_the_document_is_given_to_anybody_and_its_examples_hold(system: System) -> None:
    system_key, system.key = system.key, ""
    answer = await system.call("GET", "/api/v1/openapi.json")
    assert (answer.status, answer.content) == (200, described())
    assert answer.content["openapi"] == "3.1.0"
    system.key = system_key
    paths = answer.content["paths"]
    for path, operations in paths.items():
        for method, operation in operations.items():
            body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("example")
            done = await system.call(method.upper(), path.replace("{code}", CODE), body)
            assert done.status == 200, (path, done.content)
            assert "refused" not in str(done.content.get("counts", ""))
