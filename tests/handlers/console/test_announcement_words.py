"""What was chosen and typed on the page of words is not lost, whatever is wrong with one part of it."""

import io
from typing import Any

from aiohttp import FormData

from tests.handlers.console.test_announcements import WORDS, begun, member, row_of, step, text_of
from tests.handlers.console.visitor import Office, Visitor, hidden, picture_bytes


async def with_picture(visitor: Visitor, address: str, data: bytes, **fields: str) -> Any:
    form = FormData(quote_fields=False)
    for name, value in {"csrf": visitor.csrf, **WORDS, **fields}.items():
        form.add_field(name, value)
    form.add_field("picture", io.BytesIO(data), filename="cờ.png", content_type="image/png")
    return await visitor.post(f"{address}/words", form)


async def test_a_picture_that_was_chosen_outlives_a_conflict_of_versions(office: Office) -> None:
    writer, other = await member(office, "broadcaster"), await member(office, "broadcaster", "other")
    address = await begun(writer)
    await step(other, address, "words", {**WORDS, "title": "Của người khác"})
    answer = await with_picture(writer, address, picture_bytes(), version="1", title="Của tôi")
    assert answer.status == 409
    page = await text_of(answer)
    assert "Dùng ảnh vừa chọn: cờ.jpg" in page
    chosen, version = hidden(page, "chosen_picture"), hidden(page, "version")
    assert (await row_of(office, address)).file_id is None
    again = {**WORDS, "title": "Của tôi", "version": version, "chosen_picture": chosen}
    forged = chosen.partition(".")[0] + "." + "0" * 32
    assert (await writer.post(f"{address}/words", {**again, "chosen_picture": forged})).status == 303
    assert (await row_of(office, address)).file_id is None, "somebody else's file is none to choose"
    again["version"] = hidden(await writer.page(f"{address}/words"), "version")
    assert (await writer.post(f"{address}/words", again)).status == 303
    row = await row_of(office, address)
    assert (row.title, row.file_id) == ("Của tôi", chosen.partition(".")[0])
    assert (await writer.get(f"{address}/picture")).status == 200


async def test_a_picture_that_is_too_large_does_not_cost_the_words_beside_it(office: Office) -> None:
    writer = await member(office, "broadcaster")
    address = await begun(writer)
    most = office.runtime.settings.files.max_file_mb * 1024 * 1024
    answer = await with_picture(writer, address, b"x" * (most + 200_000), version="1", title="Viết đã lâu")
    page = await text_of(answer)
    assert answer.status == 422
    assert "“cờ.png” lớn hơn" in page
    assert "Viết đã lâu" in page
