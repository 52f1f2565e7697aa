"""One process that uses an account's tokens when told to.

python -m tests.chaos.renew CONFIG OA_ID, then a line on its standard input
"""

import asyncio
import sys
from pathlib import Path

from bot import config
from bot.channels.channel import AccountRef, KnowsAccounts
from bot.runtime import opened, ref
from bot.store import accounts


async def main(path: Path, oa_id: str) -> None:
    """Ask the provider who the account is, as soon as a line is read; print the answer."""
    async with opened(config.load(path)) as runtime:
        async with runtime.database.reading() as session:
            row = await accounts.by_external_id(session, "zalo", oa_id)
        assert row is not None
        account: AccountRef = ref(row)
        channel = runtime.channels["zalo"]
        assert isinstance(channel, KnowsAccounts)
        _say("ready")
        await asyncio.to_thread(sys.stdin.readline)
        _say((await channel.account_info(account)).name)


def _say(words: str) -> None:
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
