"""What a run, an import item and a file of a photo can be."""

QUEUED, PUBLISHED, RETRYING = "queued", "published", "retrying"
DONE, FAILED, HELD, CANCELLED = "done", "failed", "held", "cancelled"
PENDING, DAMAGED, SKIPPED = "pending", "damaged", "skipped"
ORIGINAL, COMPANION, COPY = "original", "companion", "copy"
