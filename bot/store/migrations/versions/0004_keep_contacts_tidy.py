"""Have PostgreSQL tidy contacts and their marks, and count dossiers, long before a fifth of them has changed.

Whom an announcement reaches is counted from indexes alone, as long as PostgreSQL knows which pages hold nothing that
was changed lately; and what it plans for dossiers right after a first import is wrong until it has counted them.
"""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_TIDY = (
    "autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.02, "
    "autovacuum_analyze_scale_factor = 0.02"
)
_TABLES = ("contacts", "contact_marks", "dossiers", "dossier_events")


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        for table in _TABLES:
            op.execute(f"ALTER TABLE {table} SET ({_TIDY})")


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        names = ", ".join(each.partition(" = ")[0] for each in _TIDY.split(", "))
        for table in _TABLES:
            op.execute(f"ALTER TABLE {table} RESET ({names})")
