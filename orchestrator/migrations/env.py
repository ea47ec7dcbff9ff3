from alembic import context
from sqlmodel import SQLModel

import orchestrator.models  # noqa: F401  # fills the metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=SQLModel.metadata)
with context.begin_transaction():
    context.run_migrations()
