#!/bin/sh
# Starts the PostgreSQL of docker-compose.yml, unless its volume belongs to another major version.
# PGDATA and PG_MAJOR come from the image and the compose file.
set -eu

if [ -s "$PGDATA/PG_VERSION" ]; then
    there=$(cat "$PGDATA/PG_VERSION")
    if [ "$there" != "$PG_MAJOR" ]; then
        cat >&2 <<SENTENCE
This database was made by PostgreSQL $there, and this is PostgreSQL $PG_MAJOR, which cannot read it. Nothing was changed.
Go on with PostgreSQL $there: put POSTGRES_IMAGE=pgvector/pgvector:pg$there into .env, then type: make compose
How to move to PostgreSQL $PG_MAJOR: docs/operations.md, "Another PostgreSQL".
SENTENCE
        exit 1
    fi
fi
exec docker-entrypoint.sh "$@"
