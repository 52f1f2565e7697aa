"""Every row of Zalo's error tables maps to one class of the send-error family and to a sentence for staff."""

import csv
import re
import tomllib
from pathlib import Path

import pytest

from bot.channels.zalo.error_codes import CODES
from bot.channels.zalo.errors import MAX_DETAIL, TokenExpiredError, WrongEndpointError, send_error
from bot.domain.delivery import (
    AccountStoppedError,
    MessageInvalidError,
    NightError,
    QuotaExhaustedError,
    RecipientGoneError,
    RecipientLimitError,
    SendError,
    TemporaryError,
    ThrottledError,
    UnknownOutcomeError,
    UploadExpiredError,
)
from bot.domain.text import clean

ROOT = Path(__file__).parents[2]
with (ROOT / "tests/payloads/zalo/errors.csv").open(encoding="utf-8", newline="") as table:
    ROWS = [row for row in csv.DictReader(table) if row["action"] != "ok"]
SENTENCES: dict[str, str] = tomllib.loads((ROOT / "templates/messages/vi/official/send_errors.toml").read_text("utf-8"))

CLASSES: dict[str, type[SendError]] = {
    "retry_later": TemporaryError,
    "retry_next_day": QuotaExhaustedError,
    "retry_after_night": NightError,
    "refresh_token": TokenExpiredError,
    "reupload": UploadExpiredError,
    "switch_endpoint": WrongEndpointError,
    "permanent_recipient": RecipientGoneError,
    "permanent_message": MessageInvalidError,
    "stop_account": AccountStoppedError,
}
EXCEPTIONS: dict[tuple[str, int], type[SendError]] = {
    ("oa", -32): ThrottledError,
    ("oa", -200): UnknownOutcomeError,
    ("oa", -218): RecipientLimitError,
}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['scope']}{row['code']}-{row['action']}")
def test_a_row_becomes_its_class_and_has_a_sentence(row: dict[str, str]) -> None:
    scope, code = row["scope"], int(row["code"])
    error = send_error(scope, code, row["meaning_en"])  # type: ignore[arg-type]  # the table's own words
    assert type(error) is EXCEPTIONS.get((scope, code), CLASSES[row["action"]])
    assert error.provider_code == code
    assert SENTENCES[error.reason]


def test_the_table_holds_nothing_that_the_source_does_not() -> None:
    assert {(scope, code) for scope, codes in CODES.items() for code in codes} == {
        (row["scope"], int(row["code"])) for row in ROWS
    }


def test_the_two_meanings_of_a_code_are_told_by_the_message() -> None:
    assert send_error("oa", -32, "Your application reached limit call api").reason == "app_rate_limited"
    assert send_error("oa", -32, "Your OA reached limit call api").reason == "oa_rate_limited"
    granted = send_error("oa", -223, "Official Account has not authorized this API")
    articles = send_error("oa", -223, "Your OA has reach the limit quota create article")
    assert (type(granted), type(articles)) == (AccountStoppedError, QuotaExhaustedError)


def test_a_code_of_the_older_table_is_understood_in_an_answer_of_today() -> None:
    assert send_error("oa", -311, "").reason == "reply_quota_used"


def test_what_is_about_the_token_or_speed_means_the_same_by_phone() -> None:
    found = [send_error("zns", code, "") for code in (-32, -216, -220)]
    assert [type(error) for error in found] == [ThrottledError, TokenExpiredError, TokenExpiredError]
    assert send_error("zns", -230, "").reason == "unknown_code"


@pytest.mark.parametrize("code", [-9999, 1, 0, 10**12])
def test_an_unknown_code_is_temporary(code: int) -> None:
    error = send_error("oa", code, "x" * 10_000)
    assert type(error) is TemporaryError
    assert error.reason == "unknown_code"
    assert len(error.detail) <= MAX_DETAIL + 20


def test_every_reason_in_the_sources_has_a_sentence() -> None:
    sources = "".join(path.read_text("utf-8") for path in (ROOT / "bot/channels/zalo").glob("*.py"))
    reasons = set(re.findall(r'(?<!Verification)Error(?:\(\s*|, )"([a-z0-9_]+)"', sources))
    reasons |= {reason for codes in CODES.values() for reason, _ in codes.values()}
    assert {"unknown_code", "provider_unreachable", "no_credentials", "file_too_large"} <= reasons
    assert reasons - set(SENTENCES) == set()


@pytest.mark.parametrize("reason", sorted(SENTENCES))
def test_a_sentence_is_short_and_clean_and_says_what_to_do(reason: str) -> None:
    sentence = SENTENCES[reason]
    assert re.fullmatch(r"[a-z][a-z0-9_]+", reason)
    assert clean(sentence) == sentence
    assert len(sentence) <= 200
    assert sentence.count(". ") + sentence.count("; ") >= 1
    assert re.search("Vui lòng|Hãy|Hệ thống|cần|gửi tiếp", sentence)
