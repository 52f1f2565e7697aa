"""Keep what contacts have chosen or are known by: villages, topics, tags, purposes they agreed to."""

from datetime import datetime

from sqlalchemy import Index
from sqlmodel import Field, SQLModel


class MarkRow(SQLModel, table=True):
    """One mark on a contact; `kind` is area | topic | tag | purpose, `value` the area's or topic's id or a plain word.

    `chosen` False is a choice against, which outlasts the topic's default. `by` is self | staff | import: what the
    person has said is never overwritten by the others.
    """

    __tablename__ = "contact_marks"
    __table_args__ = (Index("ix_contact_marks_contact", "contact_id", "kind"),)

    kind: str = Field(primary_key=True)
    value: str = Field(primary_key=True)
    contact_id: str = Field(primary_key=True)
    chosen: bool = True
    by: str = "self"
    at: datetime


class TopicRow(SQLModel, table=True):
    """What announcements of a unit may be about; with `default_on` whoever has not chosen gets them.

    `advert` marks what is like advertising: it goes only to whoever has agreed, and is never on by default.
    """

    __tablename__ = "topics"

    id: str = Field(primary_key=True)
    unit_id: str = Field(foreign_key="units.id")
    name: str
    position: int = 0
    default_on: bool = True
    advert: bool = False
    ended_at: datetime | None = None
