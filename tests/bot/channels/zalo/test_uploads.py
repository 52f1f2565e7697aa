"""Files on their way to Zalo: which kinds, how large, under which name."""

import pytest

from bot.channels.channel import FileContent
from bot.domain.delivery import MessageInvalidError, TemporaryError
from bot.domain.message import Media, Message
from tests.bot.channels.zalo.fake_oas import CITIZEN, GIF, JPEG, PDF, PNG, STATE_OA, Scene
from tests.fakes.scripted_server import Answer


async def upload(oas: Scene, name: str, data: bytes, kind: str = "file") -> bytes:
    oas.files["f"] = FileContent(name, "application/octet-stream", data)
    await oas.process().send(STATE_OA, CITIZEN, Message(media=Media("f", kind, name)))
    return oas.server.asked[0].body


@pytest.mark.parametrize(
    ("name", "data", "kind", "file_name"),
    [
        ("a.png", PNG, "image", "a.png"),
        ("a", JPEG, "image", "a.jpg"),
        ("a.png", JPEG, "image", "a.png.jpg"),
        ("", PNG, "image", "anh.png"),
        ("a.gif", GIF, "gif", "a.gif"),
        ("Biên bản họp.pdf", PDF, "file", "Biên bản họp.pdf"),
        ("x.DOCX", b"PK\x03\x04", "file", "x.DOCX"),
        ("danh sách.csv", b"a,b", "file", "danh sách.csv"),
        ('a"\r\nX: y/../b.pdf', PDF, "file", "aX: y..b.pdf"),
    ],
)
async def test_the_bytes_decide_the_kind_and_the_name_keeps_its_letters(
    oas: Scene, name: str, data: bytes, kind: str, file_name: str
) -> None:
    body = await upload(oas, name, data)
    assert oas.zalo.uploads == [kind]
    assert f'name="file"; filename="{file_name}"'.encode() in body
    assert data in body


@pytest.mark.parametrize("name", ["a.exe", "a.xlsx", "a", "pdf"])
async def test_kinds_that_zalo_does_not_take_are_refused_here(oas: Scene, name: str) -> None:
    with pytest.raises(MessageInvalidError, match="file_type_unsupported"):
        await upload(oas, name, b"MZ")
    assert oas.server.asked == []


@pytest.mark.parametrize(("data", "most"), [(PNG, 1024**2), (JPEG, 1024**2), (GIF, 5 * 1024**2), (PDF, 5 * 1024**2)])
async def test_files_have_a_largest_size(oas: Scene, data: bytes, most: int) -> None:
    await upload(oas, "a.pdf", data.ljust(most, b"0"))
    oas.server.asked.clear()
    with pytest.raises(MessageInvalidError, match="file_too_large"):
        await upload(oas, "a.pdf", data.ljust(most + 1, b"0"))
    assert oas.server.asked == []


async def test_a_file_that_is_gone_is_said_to_be_missing(oas: Scene) -> None:
    with pytest.raises(MessageInvalidError, match="file_missing"):
        await oas.process().send(STATE_OA, CITIZEN, Message(media=Media("gone", "image", "a.png")))


async def test_a_store_that_is_away_is_temporary(oas: Scene) -> None:
    oas.store_away = True
    with pytest.raises(TemporaryError, match="file_unavailable"):
        await oas.process().send(STATE_OA, CITIZEN, Message(media=Media("png", "image", "a.png")))


@pytest.mark.parametrize("answer", [Answer({"error": 0, "data": {}}), Answer(b"", 502), Answer(hang_up=True)])
async def test_an_upload_that_broke_has_reached_nobody(oas: Scene, answer: Answer) -> None:
    oas.zalo.before = lambda asked: answer if "/upload/" in asked.path else None
    with pytest.raises(TemporaryError):
        await upload(oas, "a.pdf", PDF)
    assert oas.zalo.sent == []


async def test_an_upload_with_a_dead_token_is_sent_again_whole(oas: Scene) -> None:
    oas.zalo.tokens = {"access-renewed-elsewhere": next(iter(oas.zalo.tokens.values()))}
    await upload(oas, "a.pdf", PDF)
    first, _, second, _ = oas.server.asked
    assert PDF in first.body
    assert PDF in second.body
