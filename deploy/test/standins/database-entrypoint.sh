#!/bin/sh
# As the official image does it: a new cluster with POSTGRES_USER, POSTGRES_PASSWORD and POSTGRES_DB, then the server.
set -eu
mkdir -p "$PGDATA"
chown postgres:postgres "$PGDATA"
chmod 700 "$PGDATA"
as_postgres() { setpriv --reuid postgres --regid postgres --init-groups "$@"; }
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    password=$(mktemp)
    printf '%s' "$POSTGRES_PASSWORD" >"$password"
    chown postgres "$password"
    as_postgres initdb --username="$POSTGRES_USER" --pwfile="$password" --auth=scram-sha-256 --encoding=UTF8
    rm "$password"
    echo "CREATE DATABASE \"$POSTGRES_DB\";" | as_postgres postgres --single -j postgres >/dev/null
fi
# Only this machine: all containers of the test share one network.
exec setpriv --reuid postgres --regid postgres --init-groups "$@" -c listen_addresses=127.0.0.1 -c unix_socket_directories=/tmp
