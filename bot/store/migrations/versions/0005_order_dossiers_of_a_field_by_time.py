"""Let a new dossier come last among those of its field and unit that are not finished, not anywhere among them.

Audiences read fingerprints of phones from this index, and never search by them: in front of the id they had an import
touch another page for each dossier that is not finished.
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
