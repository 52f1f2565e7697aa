"""FastAPI with async SQLAlchemy, one commit per request: take a signed Zalo event and answer once it is durable."""

import hashlib
import hmac
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Annotated, Any

import orjson
from fastapi import Depends, FastAPI, Request, Response
from sqlalchemy import BigInteger, DateTime, Integer, LargeBinary, UniqueConstraint, event
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

DATABASE = os.environ["PEER_DATABASE"]
SECRET = os.environ["PEER_SECRET"].encode()
CONNECTIONS = int(os.environ["PEER_CONNECTIONS"])
OK = b"{}"


class Base(DeclarativeBase):
    """The tables."""


class Event(Base):
    """One stored webhook."""

    __tablename__ = "events"
    __table_args__ = (UniqueConstraint("account", "key"),)

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    account: Mapped[str]
    event: Mapped[str]
    key: Mapped[str]
    contact: Mapped[str] = mapped_column(index=True)
    raw: Mapped[bytes] = mapped_column(LargeBinary)
    state: Mapped[str] = mapped_column(default="new")
    received_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


engine = create_async_engine(DATABASE, pool_size=CONNECTIONS, max_overflow=0, pool_timeout=60)
sessions = async_sessionmaker(engine, expire_on_commit=False)

if engine.dialect.name == "sqlite":

    @event.listens_for(engine.sync_engine, "connect")
    def durable(connection: Any, _record: object) -> None:
        """Write ahead, and sync at each commit."""
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA busy_timeout=60000")
        cursor.close()


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
    """Make the table, and close the pool at the end."""
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    yield
    await engine.dispose()


app = FastAPI(lifespan=lifespan)


async def session_of_request() -> AsyncIterator[AsyncSession]:
    """Give each request a session of its own."""
    async with sessions() as session:
        yield session


@app.get("/healthz")
async def healthz() -> dict[str, str]:
    """Say that the table is there and requests are taken."""
    return {}


@app.post("/webhooks/zalo")
async def webhook(request: Request, session: Annotated[AsyncSession, Depends(session_of_request)]) -> Response:
    """Check the signature, store the event once, and answer 200 after the commit."""
    body = await request.body()
    try:
        data = orjson.loads(body)
    except orjson.JSONDecodeError:
        return Response(status_code=400)
    signed = hashlib.sha256(data["app_id"].encode() + body + data["timestamp"].encode() + SECRET).hexdigest()
    if not hmac.compare_digest(f"mac={signed}", request.headers.get("x-zevent-signature", "")):
        return Response(status_code=401)
    account = data["recipient"]["id"]
    session.add(
        Event(
            account=account,
            event=data["event_name"],
            key=data["message"]["msg_id"],
            contact=f"{account}:{data['sender']['id']}",
            raw=body,
            received_at=datetime.now(UTC),
        )
    )
    try:
        await session.commit()
    except IntegrityError:
        await session.rollback()  # Zalo repeats what it has not seen answered
    return Response(OK, media_type="application/json")
