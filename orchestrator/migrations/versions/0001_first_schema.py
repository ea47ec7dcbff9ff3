"""The first schema, with the triggers that count."""

import sqlalchemy as sa
from alembic import op
from pgvector.sqlalchemy import HALFVEC
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# One row per (kind, import, state) that changed, summed inside the statement: writers never touch a shared row,
# so they neither wait for nor deadlock with each other. orchestrator/tallies.py folds the log together.
TALLY_RUNS = """
CREATE FUNCTION tally_stage_runs() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO tallies (kind, import_id, state, n)
      SELECT stage, import_id, state, count(*) FROM after GROUP BY 1, 2, 3;
  ELSIF TG_OP = 'DELETE' THEN
    INSERT INTO tallies (kind, import_id, state, n)
      SELECT stage, import_id, state, -count(*) FROM before GROUP BY 1, 2, 3;
  ELSE
    INSERT INTO tallies (kind, import_id, state, n)
      SELECT stage, import_id, state, sum(d) FROM (
        SELECT stage, import_id, state, 1 AS d FROM after UNION ALL
        SELECT stage, import_id, state, -1 FROM before) changes
      GROUP BY 1, 2, 3 HAVING sum(d) <> 0;
  END IF;
  RETURN NULL;
END $$;
"""
TALLY_ITEMS = TALLY_RUNS.replace("tally_stage_runs", "tally_import_items").replace("SELECT stage,", "SELECT 'items',")


def upgrade() -> None:
    op.execute("CREATE EXTENSION IF NOT EXISTS vector")
    _create_tables()
    op.execute(TALLY_RUNS)
    op.execute(TALLY_ITEMS)
    for table in ("stage_runs", "import_items"):
        _count(table)
    op.execute("INSERT INTO broker_epoch (id) VALUES (gen_random_uuid())")


def _count(table: str) -> None:
    for event, tables in {
        "INSERT": "NEW TABLE AS after",
        "DELETE": "OLD TABLE AS before",
        "UPDATE": "OLD TABLE AS before NEW TABLE AS after",
    }.items():
        op.execute(
            f"CREATE TRIGGER tally_{event.lower()} AFTER {event} ON {table} REFERENCING {tables} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION tally_{table}()"
        )


def _create_tables() -> None:
    op.create_table(
        "breakers",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("probe_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("probes", sa.Integer(), server_default="0", nullable=False),
        sa.Column("probe_run", sa.Uuid(), nullable=True),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_table("broker_epoch", sa.Column("id", sa.Uuid(), nullable=False), sa.PrimaryKeyConstraint("id"))
    op.create_table(
        "embedding_models",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "events",
        sa.Column("id", sa.BigInteger(), autoincrement=True, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("data", JSONB(), server_default="{}", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "orphan_candidates",
        sa.Column("claim", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("claim"),
    )
    op.create_table(
        "projects",
        sa.Column("id", sa.BigInteger(), autoincrement=True, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name"),
    )
    op.create_table(
        "roots",
        sa.Column("id", sa.BigInteger(), autoincrement=True, nullable=False),
        sa.Column("path", sa.LargeBinary(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("identity", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("roots_path", "roots", ["path"], unique=True, postgresql_where=sa.text("state = 'online'"))
    op.create_table(
        "tallies",
        sa.Column("id", sa.BigInteger(), autoincrement=True, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("import_id", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("tallies_key", "tallies", ["kind", "import_id"], unique=False)
    op.create_table(
        "imports",
        sa.Column("id", sa.BigInteger(), autoincrement=True, nullable=False),
        sa.Column("root_id", sa.BigInteger(), nullable=False),
        sa.Column("folder", sa.LargeBinary(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("sample", sa.Integer(), nullable=True),
        sa.Column("project_id", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("cursor", sa.LargeBinary(), nullable=True),
        sa.Column("scanned", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("left_alone", JSONB(), server_default="{}", nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["root_id"], ["roots.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "photos",
        sa.Column("id", sa.BigInteger(), autoincrement=True, nullable=False),
        sa.Column("root_id", sa.BigInteger(), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("file_path", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=True),
        sa.Column("format", sa.Text(), nullable=True),
        sa.Column("source", sa.Text(), nullable=True),
        sa.Column("damage", sa.Text(), nullable=True),
        sa.Column("width", sa.Integer(), nullable=True),
        sa.Column("height", sa.Integer(), nullable=True),
        sa.Column("preview", sa.Text(), nullable=True),
        sa.Column("preview_width", sa.Integer(), nullable=True),
        sa.Column("preview_height", sa.Integer(), nullable=True),
        sa.Column("thumbnail", sa.Text(), nullable=True),
        sa.Column("placeholder", sa.Text(), nullable=True),
        sa.Column("perceptual_hash", sa.Text(), nullable=True),
        sa.Column("laplacian_variance", sa.Float(), nullable=True),
        sa.Column("tile_variance_p95", sa.Float(), nullable=True),
        sa.Column("noise_sigma", sa.Float(), nullable=True),
        sa.Column("clipped_share", sa.Float(), nullable=True),
        sa.Column("sharpness_score", sa.Float(), nullable=True),
        sa.Column("exposure_score", sa.Float(), nullable=True),
        sa.Column("technical_score", sa.Float(), nullable=True),
        sa.Column("captured_at", sa.DateTime(), nullable=True),
        sa.Column("utc_offset_minutes", sa.Integer(), nullable=True),
        sa.Column("camera_make", sa.Text(), nullable=True),
        sa.Column("camera_model", sa.Text(), nullable=True),
        sa.Column("lens", sa.Text(), nullable=True),
        sa.Column("focal_length_mm", sa.Float(), nullable=True),
        sa.Column("aperture", sa.Float(), nullable=True),
        sa.Column("shutter_seconds", sa.Float(), nullable=True),
        sa.Column("iso", sa.Integer(), nullable=True),
        sa.Column("exposure_bias_ev", sa.Float(), nullable=True),
        sa.Column("has_gps", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("user_rating", sa.SmallInteger(), nullable=True),
        sa.Column("manual_match", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("kept_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("rejected_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("project_id", sa.BigInteger(), nullable=True),
        sa.Column("preference_score", sa.SmallInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["root_id"], ["roots.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "photos_captured",
        "photos",
        [sa.text("captured_at DESC NULLS LAST"), sa.text("id DESC")],
        unique=False,
        postgresql_where=sa.text("preview IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index("photos_content_hash", "photos", ["content_hash"], unique=False)
    op.create_index(
        "photos_exposure",
        "photos",
        [sa.text("exposure_score DESC NULLS LAST"), sa.text("id DESC")],
        unique=False,
        postgresql_where=sa.text("preview IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "photos_newest",
        "photos",
        [sa.literal_column("id DESC")],
        unique=False,
        postgresql_where=sa.text("preview IS NOT NULL AND rejected_at IS NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "photos_unrated",
        "photos",
        [sa.literal_column("id DESC")],
        unique=False,
        postgresql_where=sa.text(
            "preview IS NOT NULL AND rejected_at IS NULL AND deleted_at IS NULL AND user_rating IS NULL"
        ),
    )
    op.create_index("photos_project", "photos", ["project_id", sa.literal_column("id DESC")], unique=False)
    op.create_index(
        "photos_rejected",
        "photos",
        [sa.literal_column("id DESC")],
        unique=False,
        postgresql_where=sa.text("rejected_at IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "photos_sharpness",
        "photos",
        [sa.text("sharpness_score DESC NULLS LAST"), sa.text("id DESC")],
        unique=False,
        postgresql_where=sa.text("preview IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_table(
        "dead_letters",
        sa.Column("id", sa.BigInteger(), autoincrement=True, nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=True),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("photo_id", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("error_type", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("headers", JSONB(), server_default="{}", nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("times", sa.Integer(), server_default="1", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["photo_id"], ["photos.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "dead_letters_run", "dead_letters", ["run_id"], unique=True, postgresql_where=sa.text("run_id IS NOT NULL")
    )
    op.create_index("dead_letters_photo", "dead_letters", ["photo_id", "stage"], unique=False)
    op.create_index("dead_letters_state", "dead_letters", ["state", sa.literal_column("id DESC")], unique=False)
    op.create_table(
        "error_logs",
        sa.Column("id", sa.BigInteger(), autoincrement=True, nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("photo_id", sa.BigInteger(), nullable=True),
        sa.Column("import_id", sa.BigInteger(), nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("max_attempts", sa.Integer(), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("final", sa.Boolean(), nullable=False),
        sa.Column("error_type", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("detail", JSONB(), server_default="{}", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["photo_id"], ["photos.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("error_logs_once", "error_logs", ["run_id", "attempt", "source"], unique=True)
    op.create_index("error_logs_photo", "error_logs", ["photo_id"], unique=False)
    op.create_index("error_logs_stage", "error_logs", ["stage", sa.literal_column("id DESC")], unique=False)
    op.create_index("error_logs_type", "error_logs", ["error_type", sa.literal_column("id DESC")], unique=False)
    op.create_table(
        "import_items",
        sa.Column("import_id", sa.BigInteger(), nullable=False),
        sa.Column("path", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("photo_id", sa.BigInteger(), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["import_id"], ["imports.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["photo_id"], ["photos.id"], ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("import_id", "path"),
    )
    op.create_index("import_items_photo", "import_items", ["photo_id"], unique=False)
    op.create_index("import_items_state", "import_items", ["import_id", "state"], unique=False)
    op.create_index(
        "import_items_photos", "import_items", ["import_id", sa.literal_column("photo_id DESC")], unique=False
    )
    op.create_index(
        "import_items_landed",
        "import_items",
        ["import_id", sa.literal_column("changed_at DESC")],
        unique=False,
        postgresql_where=sa.text("state IN ('done', 'damaged')"),
    )
    op.create_table(
        "photo_files",
        sa.Column("id", sa.BigInteger(), autoincrement=True, nullable=False),
        sa.Column("root_id", sa.BigInteger(), nullable=False),
        sa.Column("path", sa.LargeBinary(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("mtime_ns", sa.BigInteger(), nullable=False),
        sa.Column("quick_hash", sa.Text(), nullable=True),
        sa.Column("content_hash", sa.Text(), nullable=True),
        sa.Column("photo_id", sa.BigInteger(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["photo_id"], ["photos.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["root_id"], ["roots.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("photo_files_content_hash", "photo_files", ["content_hash"], unique=False)
    op.create_index("photo_files_path", "photo_files", ["root_id", "path"], unique=True)
    op.create_index("photo_files_photo", "photo_files", ["photo_id"], unique=False)
    op.create_index("photo_files_quick_hash", "photo_files", ["quick_hash"], unique=False)
    op.create_index("photo_files_size", "photo_files", ["size"], unique=False)
    op.create_table(
        "photo_vectors",
        sa.Column("photo_id", sa.BigInteger(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("vector", HALFVEC(dim=768), nullable=False),
        sa.ForeignKeyConstraint(["photo_id"], ["photos.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("photo_id", "model"),
    )
    op.create_table(
        "stage_runs",
        sa.Column("id", sa.BigInteger(), autoincrement=True, nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("photo_id", sa.BigInteger(), nullable=True),
        sa.Column("import_id", sa.BigInteger(), nullable=True),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("request", JSONB(), server_default="{}", nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempt", sa.SmallInteger(), server_default="1", nullable=False),
        sa.Column("priority", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("gate", sa.Text(), nullable=True),
        sa.Column("hold_key", sa.Text(), nullable=True),
        sa.Column("error_type", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("queued_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["import_id"], ["imports.id"], ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["photo_id"], ["photos.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("run_id"),
    )
    op.create_index(
        "stage_runs_failed", "stage_runs", ["photo_id"], unique=False, postgresql_where=sa.text("state = 'failed'")
    )
    op.create_index(
        "stage_runs_held",
        "stage_runs",
        ["hold_key", "priority", "id"],
        unique=False,
        postgresql_where=sa.text("state = 'held'"),
    )
    op.create_index("stage_runs_import", "stage_runs", ["import_id", "id"], unique=False)
    op.create_index(
        "stage_runs_out",
        "stage_runs",
        ["stage", "published_at"],
        unique=False,
        postgresql_where=sa.text("state IN ('published', 'retrying')"),
    )
    op.create_index(
        "stage_runs_outbox",
        "stage_runs",
        ["stage", "priority", "id"],
        unique=False,
        postgresql_where=sa.text("state = 'queued'"),
    )
    op.create_index("stage_runs_photo", "stage_runs", ["photo_id"], unique=False)
    op.create_index("stage_runs_subject", "stage_runs", ["stage", "subject"], unique=True)
    # ### end Alembic commands ###
