"""Dossiers of the commune of tests/commune.py, as another system reports them, and photos of their receipts."""

import io
from datetime import datetime, timedelta
from typing import Any

import segno
from PIL import Image

from bot.actions.dossiers import News, take_in
from bot.domain.dossier import Status
from bot.runtime import Runtime

CODE = "000.00.01.H26-261123-0012"
LONG = "G09.20-20261120-0092637"
PHONE = "84900000001"
NAME = "Nguyễn Văn Mẫu"
PROCEDURE = "Đăng ký khai sinh"


async def report(
    runtime: Runtime, at: datetime, code: str = CODE, status: int = Status.PROCESSING, **told: Any
) -> None:
    """Report one status of a dossier of the unit economy, with a name and a phone unless told otherwise."""
    person = {name: told.pop(name, default) for name, default in (("applicant", NAME), ("phone", PHONE))}
    unit = told.pop("unit", "economy")
    facts = {"procedure_name": PROCEDURE, "received_at": at, "due_at": at + timedelta(days=5), **told}
    path = "/commune/" if unit == "commune" else f"/commune/{unit}/"
    news = News(code, Status(status), at, unit, path, facts, **person)
    async with runtime.units_of_work() as uow:
        await take_in(uow, runtime.box, [news], "import:test")


def receipt(
    text: str, *, angle: float = 0, scale: int = 6, noise: int = 0, size: tuple[int, int] = (1200, 900)
) -> bytes:
    """Draw a photo of a receipt with a QR code of a text: turned by degrees, noisy, with modules of `scale` pixels."""
    drawn = io.BytesIO()
    segno.make(text, error="m").save(drawn, kind="png", scale=scale)
    code = Image.open(drawn).convert("L").rotate(angle, expand=True, fillcolor=255)
    paper = Image.new("L", size, 235)
    paper.paste(code, ((size[0] - code.width) // 2, (size[1] - code.height) // 2))
    if noise:
        paper = Image.blend(paper, Image.effect_noise(size, noise), 0.3)
    out = io.BytesIO()
    paper.convert("RGB").save(out, "JPEG", quality=80)
    return out.getvalue()
