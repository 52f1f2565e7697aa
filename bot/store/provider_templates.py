"""Keep the message templates that a provider has approved for an account, as it described them last."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON
from sqlmodel import Field, SQLModel


class ProviderTemplateRow(SQLModel, table=True):
    """One template of one account; `status` and `quality` in the provider's words, prices in đồng.

    `parameters` are name, type, required, shortest and longest (characters in NFC). `by_user` and `by_phone` say by
    which way it may be sent; `development` that it may only go to the account's own administrators, who are testing.
    """

    __tablename__ = "provider_templates"

    account_id: str = Field(primary_key=True, foreign_key="accounts.id")
    template_id: str = Field(primary_key=True)
    name: str = ""
    status: str = ""
    quality: str = ""
    tag: str = ""
    parameters: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSON)
    text: str = ""
    by_user: bool = False
    by_phone: bool = True
    development: bool = False
    price_user: int | None = None
    price_phone: int | None = None
    timeout_seconds: int | None = None
    fetched_at: datetime | None = None
    news_at: datetime | None = None
    gone_at: datetime | None = None
