"""aiogram's own webhook server with a handler that does nothing: PORT."""

import os
import sys

import orjson
import uvloop
from aiogram import Bot, Dispatcher
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.types import Message
from aiogram.webhook.aiohttp_server import SimpleRequestHandler, setup_application
from aiohttp import web

handled = 0


async def nothing(_message: Message) -> None:
    """Count, and do nothing else."""
    global handled  # noqa: PLW0603 - one number of one process
    handled += 1


async def tell(_request: web.Request) -> web.Response:
    """Tell how many updates have been handled."""
    return web.json_response({"handled": handled})


def main() -> None:
    """Serve until ended."""
    uvloop.install()
    dispatcher = Dispatcher()
    dispatcher.message.register(nothing)
    session = AiohttpSession(json_loads=orjson.loads, json_dumps=lambda value: orjson.dumps(value).decode())
    bot = Bot("1234567890:AAabcdefghijklmnopqrstuvwxyz0123456", session=session)
    app = web.Application()
    app.router.add_get("/healthz", tell)
    SimpleRequestHandler(dispatcher, bot, secret_token=os.environ["PEER_SECRET"]).register(app, "/webhooks/telegram")
    setup_application(app, dispatcher, bot=bot)
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), access_log=None, print=None)


if __name__ == "__main__":
    main()
