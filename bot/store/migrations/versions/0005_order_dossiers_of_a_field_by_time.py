"""Let a new dossier come last among those of its field that are not finished, not anywhere among them.

The fingerprint of a phone is what an audience is found by, not what anything is sought by here: as the last column it
still stands in the index, and an import no longer touches a page of it for each row.
"""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_NAME, _TABLE = "ix_dossiers_field", "dossiers"


def upgrade() -> None:
    op.drop_index(_NAME, table_name=_TABLE)
    op.create_index(_NAME, _TABLE, ["field", "path", "finished_at", "id", "phone_hash"], unique=False)


def downgrade() -> None:
    op.drop_index(_NAME, table_name=_TABLE)
    op.create_index(_NAME, _TABLE, ["field", "path", "finished_at", "phone_hash", "id"], unique=False)
