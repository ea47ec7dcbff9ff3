"""Descriptions, taste, decisions, bursts, pauses and what the person agreed to."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB, TSVECTOR

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_SHOWN = "preview IS NOT NULL AND deleted_at IS NULL AND rejected_at IS NULL"

# Words as they are written in file names, and all as English bends them. Names are split where people see a gap: at
# punctuation, and between letters and digits.
_KEEP_WORDS = r"""
CREATE FUNCTION keep_photo_words() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  labels text[] := coalesce(NEW.tags, NEW.suggested_tags, ARRAY[]::text[]);
  names text := spaced(NEW.file_name || ' ' || regexp_replace(NEW.file_name, '([A-Za-z])([0-9])', '\1 \2', 'g'));
BEGIN
  INSERT INTO photo_words (photo_id, words, tags) VALUES (
    NEW.id,
    setweight(to_tsvector('english', spaced(coalesce(NEW.subject, ''))), 'A')
      || setweight(to_tsvector('english', spaced(array_to_string(labels, ' '))), 'A')
      || setweight(to_tsvector('english', names), 'B') || setweight(to_tsvector('simple', names), 'B')
      || setweight(to_tsvector('english', spaced(coalesce(NEW.artistic_mood, ''))), 'C')
      || setweight(to_tsvector('english', spaced(concat_ws(' ', NEW.camera_make, NEW.camera_model))), 'D'),
    (SELECT coalesce(array_agg(lower(label)), ARRAY[]::text[]) FROM unnest(labels) AS label)
  ) ON CONFLICT (photo_id) DO UPDATE SET words = excluded.words, tags = excluded.tags;
  RETURN NULL;
END $$
"""
_SPACED = """
CREATE FUNCTION spaced(name text) RETURNS text IMMUTABLE LANGUAGE sql AS $$
  SELECT translate(name, '_.-/()[],;+&@#%''', repeat(' ', 16)) $$
"""
# What is being typed may be the beginning of a word. A search for `the` finds a file of that name.
_SEARCHED = r"""
CREATE FUNCTION searched(query text) RETURNS tsquery IMMUTABLE LANGUAGE sql AS $$
  SELECT CASE WHEN found::text ~ '''[^'' ]{3,}''$' THEN (found::text || ':*')::tsquery ELSE found END
  FROM (SELECT CASE WHEN numnode(english) = 0 THEN simple ELSE english END AS found FROM (
    SELECT websearch_to_tsquery('english', plain) AS english, websearch_to_tsquery('simple', plain) AS simple
    FROM translate(regexp_replace(query, '(\S)-', '\1 ', 'g'), '_./()[],;+&@#%''', repeat(' ', 15)) AS plain
  ) AS parsed) AS chosen $$
"""


def upgrade() -> None:  # noqa: PLR0915  # a list of tables and columns, not logic
    op.create_table(
        "burst_state",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("requested_seq", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("found_seq", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("gap_seconds", sa.Float(), server_default="5", nullable=False),
        sa.Column("least_cosine", sa.Float(), nullable=True),
        sa.Column("cosine_model", sa.Text(), nullable=True),
        sa.Column("is_urgent", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("whole_seq", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("model", sa.Text(), nullable=True),
        sa.Column("found_claim", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "bursts",
        sa.Column("id", sa.BigInteger(), autoincrement=True, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("best_id", sa.BigInteger(), nullable=True),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.DateTime(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "bursts_started",
        "bursts",
        [sa.literal_column("started_at DESC"), sa.literal_column("id DESC")],
        unique=False,
        postgresql_where=sa.text("size > 1"),
    )
    op.create_table(
        "consents",
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("host"),
    )
    op.create_table(
        "curation_state",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("host", sa.Text(), server_default="", nullable=False),
        sa.Column("may_fall_back", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("reached_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("again_after", sa.BigInteger(), nullable=True),
        sa.Column("again_by", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "backfills",
        sa.Column("id", sa.BigInteger(), autoincrement=True, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("wish", JSONB(), server_default="{}", nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("cursor", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("last_id", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), server_default="0", nullable=False),
        sa.Column("failed", sa.Integer(), server_default="0", nullable=False),
        sa.Column("skipped", sa.Integer(), server_default="0", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "backfill_items",
        sa.Column("backfill_id", sa.BigInteger(), nullable=False),
        sa.Column("photo_id", sa.BigInteger(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("before", JSONB(), server_default="{}", nullable=False),
        sa.ForeignKeyConstraint(["backfill_id"], ["backfills.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["photo_id"], ["photos.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("backfill_id", "photo_id"),
    )
    op.create_index("backfill_items_photo", "backfill_items", ["photo_id"], unique=False)
    op.create_table(
        "stage_pauses",
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("stage"),
    )
    op.create_table(
        "taste_models",
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("embedding_model", sa.Text(), nullable=False),
        sa.Column("read_seq", sa.BigInteger(), nullable=False),
        sa.Column("artifact", sa.Text(), nullable=True),
        sa.Column("n", sa.Integer(), nullable=True),
        sa.Column("metrics", JSONB(), server_default="{}", nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("version"),
    )
    op.create_table(
        "taste_state",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("requested_seq", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("trained_seq", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("is_urgent", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("last_started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("activation", sa.Integer(), server_default="0", nullable=False),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.Column("is_trusted", sa.Boolean(), server_default="false", nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "rating_conflicts",
        sa.Column("id", sa.BigInteger(), autoincrement=True, nullable=False),
        sa.Column("photo_id", sa.BigInteger(), nullable=False),
        sa.Column("file_path", sa.Text(), nullable=False),
        sa.Column("file_rating", sa.SmallInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["photo_id"], ["photos.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("rating_conflicts_photo", "rating_conflicts", ["photo_id"], unique=True)
    op.create_table(
        "rating_events",
        sa.Column("id", sa.BigInteger(), autoincrement=True, nullable=False),
        sa.Column("batch", sa.Uuid(), nullable=False),
        sa.Column("undoes", sa.Uuid(), nullable=True),
        sa.Column("photo_id", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("before", JSONB(), server_default="{}", nullable=False),
        sa.Column("after", JSONB(), server_default="{}", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["photo_id"], ["photos.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("rating_events_batch", "rating_events", ["batch", "photo_id"], unique=False)
    op.create_index(
        "rating_events_undoes",
        "rating_events",
        ["undoes"],
        unique=False,
        postgresql_where=sa.text("undoes IS NOT NULL"),
    )
    op.create_index("rating_events_photo", "rating_events", ["photo_id", sa.literal_column("id DESC")], unique=False)
    op.create_table(
        "sidecars",
        sa.Column("id", sa.BigInteger(), autoincrement=True, nullable=False),
        sa.Column("root_id", sa.BigInteger(), nullable=False),
        sa.Column("path", sa.LargeBinary(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("mtime_ns", sa.BigInteger(), nullable=False),
        sa.Column("photo_id", sa.BigInteger(), nullable=False),
        sa.Column("rating", sa.SmallInteger(), nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["photo_id"], ["photos.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["root_id"], ["roots.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("sidecars_path", "sidecars", ["root_id", "path"], unique=True)
    op.create_index(
        "sidecars_broken", "sidecars", ["photo_id"], unique=False, postgresql_where=sa.text("problem IS NOT NULL")
    )
    op.create_index("sidecars_photo", "sidecars", ["photo_id"], unique=False)
    op.create_table(
        "merged_photos",
        sa.Column("photo_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("into_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["into_id"], ["photos.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("photo_id"),
    )
    op.create_table(
        "preferences",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "review_passes",
        sa.Column("id", sa.BigInteger(), autoincrement=True, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("ordering", sa.Text(), server_default="match", nullable=False),
        sa.Column("n", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "review_pass_items",
        sa.Column("pass_id", sa.BigInteger(), nullable=False),
        sa.Column("place", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("photo_id", sa.BigInteger(), nullable=False),
        sa.Column("burst_id", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["pass_id"], ["review_passes.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["photo_id"], ["photos.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("pass_id", "place"),
    )
    op.create_index("review_pass_items_photo", "review_pass_items", ["photo_id", "pass_id"], unique=True)
    op.create_table(
        "renditions",
        sa.Column("photo_id", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.Text(), nullable=False),
        sa.Column("claim", sa.Text(), nullable=False),
        sa.Column("preview", sa.Text(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["photo_id"], ["photos.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("photo_id", "size"),
    )
    op.create_index("renditions_claim", "renditions", ["claim"], unique=False)
    op.create_index("renditions_used", "renditions", ["used_at"], unique=False)
    op.create_index("merged_photos_into", "merged_photos", ["into_id"], unique=False)
    op.add_column("roots", sa.Column("writes_sidecars", sa.Boolean(), server_default="false", nullable=False))
    op.add_column("photos", sa.Column("focus_distance_m", sa.Float(), nullable=True))
    op.add_column("imports", sa.Column("with_rating", sa.Integer(), server_default="0", nullable=False))
    op.add_column("import_items", sa.Column("carries_rating", sa.Boolean(), server_default="false", nullable=False))
    op.add_column("photos", sa.Column("embedded_rating", sa.SmallInteger(), nullable=True))
    op.add_column("photos", sa.Column("subject", sa.Text(), nullable=True))
    op.add_column("photos", sa.Column("content_type", sa.Text(), nullable=True))
    op.add_column("photos", sa.Column("lighting_critique", sa.Text(), nullable=True))
    op.add_column("photos", sa.Column("artistic_mood", sa.Text(), nullable=True))
    op.add_column("photos", sa.Column("suggested_tags", sa.ARRAY(sa.Text()), nullable=True))
    op.add_column("photos", sa.Column("described_by", sa.Text(), nullable=True))
    op.add_column("photos", sa.Column("prompt_version", sa.Integer(), nullable=True))
    op.add_column("photos", sa.Column("tags", sa.ARRAY(sa.Text()), nullable=True))
    op.add_column("photos", sa.Column("score_activation", sa.Integer(), nullable=True))
    op.add_column("photos", sa.Column("burst_id", sa.BigInteger(), nullable=True))
    op.add_column("photos", sa.Column("burst_best_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("photos", sa.Column("burst_dissolved_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("photos", sa.Column("removal", sa.Uuid(), nullable=True))
    op.create_index("photos_removal", "photos", ["removal"], postgresql_where=sa.text("removal IS NOT NULL"))
    op.create_index(
        "import_items_removed",
        "import_items",
        ["import_id", "photo_id"],
        postgresql_where=sa.text("reason = 'removed before'"),
    )
    op.create_index(
        "photos_burst", "photos", ["burst_id"], unique=False, postgresql_where=sa.text("burst_id IS NOT NULL")
    )
    op.drop_index("stage_runs_held", "stage_runs")
    op.create_index(
        "stage_runs_held",
        "stage_runs",
        ["hold_key", "priority", "queued_at", "id"],
        unique=False,
        postgresql_where=sa.text("state = 'held'"),
    )
    op.create_index(
        "photos_described",
        "photos",
        ["described_by", "prompt_version", "id"],
        unique=False,
        postgresql_where=sa.text("described_by IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "photos_rated",
        "photos",
        [sa.literal_column("user_rating DESC NULLS LAST"), sa.literal_column("id DESC")],
        unique=False,
        postgresql_where=sa.text("user_rating IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "photos_score_activation",
        "photos",
        ["score_activation", "id"],
        unique=False,
        postgresql_where=sa.text("preview IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "photos_taste",
        "photos",
        [sa.literal_column("preference_score DESC NULLS LAST"), sa.literal_column("id DESC")],
        unique=False,
        postgresql_where=sa.text("preview IS NOT NULL AND deleted_at IS NULL"),
    )
    op.add_column("dead_letters", sa.Column("earlier_runs", sa.ARRAY(sa.Uuid()), server_default="{}", nullable=False))
    op.add_column("dead_letters", sa.Column("status", sa.SmallInteger(), server_default="0", nullable=False))
    op.add_column("dead_letters", sa.Column("subject", sa.Text(), nullable=True))
    op.create_index(
        "dead_letters_job",
        "dead_letters",
        ["stage", "subject"],
        unique=False,
        postgresql_where=sa.text("subject IS NOT NULL"),
    )
    op.add_column("dead_letters", sa.Column("discarded_in", sa.Uuid(), nullable=True))
    op.create_index(
        "dead_letters_cause",
        "dead_letters",
        ["state", "stage", "error_type", "status", sa.literal_column("id DESC")],
        unique=False,
        postgresql_include=["last_at"],
    )
    op.create_foreign_key("photos_burst_id_fkey", "photos", "bursts", ["burst_id"], ["id"], ondelete="SET NULL")
    op.create_index(
        "photos_match",
        "photos",
        [sa.literal_column("id DESC")],
        postgresql_where=sa.text(f"{_SHOWN} AND (manual_match OR preference_score >= 70)"),
    )
    op.create_index(
        "photos_kept",
        "photos",
        [sa.literal_column("kept_at DESC")],
        postgresql_where=sa.text(f"{_SHOWN} AND kept_at IS NOT NULL"),
    )
    op.create_index(
        "photos_picked",
        "photos",
        [sa.literal_column("id DESC")],
        postgresql_where=sa.text(f"{_SHOWN} AND manual_match"),
    )
    op.create_index(
        "photos_for_projects",
        "photos",
        [sa.literal_column("id DESC")],
        postgresql_where=sa.text(f"{_SHOWN} AND user_rating >= 4 AND project_id IS NULL"),
    )
    for name, column in (("photos_content_type", "content_type"), ("photos_camera", "camera_model")):
        condition = f"deleted_at IS NULL AND {column} IS NOT NULL"
        op.create_index(name, "photos", [column, sa.literal_column("id DESC")], postgresql_where=sa.text(condition))
    op.create_table(
        "photo_words",
        sa.Column("photo_id", sa.BigInteger(), nullable=False),
        sa.Column("words", TSVECTOR(), nullable=False),
        sa.Column("tags", sa.ARRAY(sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(["photo_id"], ["photos.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("photo_id"),
    )
    op.create_index("photo_words_words", "photo_words", ["words"], postgresql_using="gin")
    op.create_index("photo_words_tags", "photo_words", ["tags"], postgresql_using="gin")
    for function in (_SPACED, _SEARCHED, _KEEP_WORDS):
        op.execute(function)
    # Not before a photo can be seen: a scan of a hundred thousand files would pay for words that nobody finds yet.
    op.execute(
        "CREATE TRIGGER photos_words AFTER INSERT OR UPDATE OF preview, file_name, camera_make, camera_model, subject,"
        " artistic_mood, tags, suggested_tags ON photos FOR EACH ROW WHEN (NEW.preview IS NOT NULL)"
        " EXECUTE FUNCTION keep_photo_words()"
    )
    op.execute("UPDATE photos SET file_name = file_name")  # those of an earlier version
    op.create_table(
        "project_positions",
        sa.Column("project_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("photo_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["photo_id"], ["photos.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("project_id", "photo_id"),
    )
    op.create_index("project_positions_order", "project_positions", ["project_id", "position", "photo_id"])
    op.create_table(
        "ended_projects",
        sa.Column("project_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("cover_id", sa.BigInteger(), nullable=True),
        sa.Column("batch", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("project_id"),
    )
    op.add_column("projects", sa.Column("cover_id", sa.BigInteger(), nullable=True))
    _merge_projects_of_one_name()
    op.create_index("projects_lower_name", "projects", [sa.literal_column("lower(name)")], unique=True)
    op.create_index(
        "photos_project_visible",
        "photos",
        ["project_id", "id"],
        unique=False,
        postgresql_where=sa.text(
            "preview IS NOT NULL AND deleted_at IS NULL AND rejected_at IS NULL AND project_id IS NOT NULL"
        ),
    )
    op.create_table(
        "placards",
        sa.Column("id", sa.BigInteger(), autoincrement=True, nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("upload", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("preview", sa.Text(), nullable=True),
        sa.Column("preview_width", sa.Integer(), nullable=True),
        sa.Column("preview_height", sa.Integer(), nullable=True),
        sa.Column("thumbnail", sa.Text(), nullable=True),
        sa.Column("placeholder", sa.Text(), nullable=True),
        sa.Column("damage", sa.Text(), nullable=True),
        sa.Column("exif", JSONB(), server_default="{}", nullable=False),
        sa.Column("description", JSONB(), server_default="{}", nullable=False),
        sa.Column("dropped_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("content_hash"),
    )
    op.execute("INSERT INTO taste_state (id) VALUES (1)")
    op.execute("INSERT INTO burst_state (id) VALUES (1)")
    op.create_table(
        "new_frames",
        sa.Column("photo_id", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["photo_id"], ["photos.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("photo_id"),
    )
    op.create_table(
        "watches",
        sa.Column("id", sa.BigInteger(), autoincrement=True, nullable=False),
        sa.Column("root_id", sa.BigInteger(), nullable=False),
        sa.Column("folder", sa.LargeBinary(), nullable=False),
        sa.Column("is_polled", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("state", sa.Text(), server_default="starting", nullable=False),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("import_id", sa.BigInteger(), nullable=True),
        sa.Column("last_new_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["import_id"], ["imports.id"], ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["root_id"], ["roots.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("watches_folder", "watches", ["root_id", "folder"], unique=True)
    op.create_table(
        "due_sidecars",
        sa.Column("root_id", sa.BigInteger(), nullable=False),
        sa.Column("photo_id", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["photo_id"], ["photos.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["root_id"], ["roots.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("root_id", "photo_id"),
    )
    op.create_index("due_sidecars_due", "due_sidecars", ["root_id", "due_at"])
    op.add_column("roots", sa.Column("sidecar_problem", sa.Text(), nullable=True))
    op.add_column("imports", sa.Column("is_watched", sa.Boolean(), server_default="false", nullable=False))
    op.add_column("imports", sa.Column("trace_id", sa.Uuid(), nullable=True))
    op.add_column("stage_runs", sa.Column("trace_id", sa.Uuid(), nullable=True))
    op.execute("INSERT INTO curation_state (id) VALUES (1)")
    op.create_table(
        "access",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("signing_key", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    # 244 bits from the same source as any key of PostgreSQL.
    op.execute("INSERT INTO access (id, signing_key) SELECT 1, concat(gen_random_uuid(), gen_random_uuid())")
    op.create_table(
        "login_attempts",
        sa.Column("id", sa.BigInteger(), autoincrement=True, nullable=False),
        sa.Column("client", sa.Text(), nullable=False),
        sa.Column("tried_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("login_attempts_client", "login_attempts", ["client", "tried_at"], unique=False)
    op.create_table(
        "backup_state",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("failed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "archive",
            sa.Text(),
            server_default=sa.text("left(replace(gen_random_uuid()::text, '-', ''), 12)"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.execute("INSERT INTO backup_state (id) VALUES (1)")
    # The same as in the name of the backup before this upgrade: it belongs to the archive.
    op.execute(
        "UPDATE backup_state SET archive = left(md5(concat(encode(path, 'hex'), extract(epoch FROM created_at))), 12)"
        " FROM (SELECT path, created_at FROM roots ORDER BY id LIMIT 1) AS first"
    )
    op.create_table(
        "decision_log",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("parent", sa.Uuid(), nullable=True),
        sa.Column("begins_after", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("projects", JSONB(), server_default="{}", nullable=False),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.execute("INSERT INTO decision_log (id) VALUES (gen_random_uuid())")
    op.create_table(
        "set_aside",
        sa.Column("id", sa.BigInteger(), autoincrement=True, nullable=False),
        sa.Column("batch", sa.Uuid(), nullable=False),
        sa.Column("root_id", sa.BigInteger(), nullable=False),
        sa.Column("photo_id", sa.BigInteger(), nullable=True),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("path", sa.LargeBinary(), nullable=False),
        sa.Column("aside_path", sa.LargeBinary(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("mtime_ns", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["root_id"], ["roots.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["photo_id"], ["photos.id"], ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id"),
    )
    is_open = sa.text("state <> 'returned'")
    op.create_index("set_aside_path", "set_aside", ["root_id", "aside_path"], unique=True, postgresql_where=is_open)
    op.create_index("set_aside_came_from", "set_aside", ["root_id", "path"], unique=False, postgresql_where=is_open)
    op.create_index("set_aside_photo", "set_aside", ["photo_id"], unique=False, postgresql_where=is_open)
    op.create_index(
        "set_aside_under_way",
        "set_aside",
        ["root_id"],
        unique=False,
        postgresql_where=sa.text("state IN ('moving', 'returning')"),
    )
    op.create_index("set_aside_batch", "set_aside", ["batch"], unique=False)
    op.create_table(
        "rejects_batches",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("root_id", sa.BigInteger(), nullable=False),
        sa.Column("seen", JSONB(), server_default="{}", nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["root_id"], ["roots.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "attention",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("lasts_until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.execute("INSERT INTO attention (id) VALUES (1)")
    op.create_table(
        "exports",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("seen", JSONB(), server_default="{}", nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("said_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )


def _merge_projects_of_one_name() -> None:
    """Names that differ only in case were two projects once."""
    first = (
        "(SELECT min(s.id) FROM projects n JOIN projects s ON lower(s.name) = lower(n.name) WHERE n.id = project_id)"
    )
    for table in ("photos", "imports"):
        op.execute(f"UPDATE {table} SET project_id = {first} WHERE project_id IS DISTINCT FROM {first}")
    op.execute("DELETE FROM projects p USING projects s WHERE lower(s.name) = lower(p.name) AND s.id < p.id")
