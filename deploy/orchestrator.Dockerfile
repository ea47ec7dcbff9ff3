# The orchestrator: pages, JSON, database, relay. No torch, no decoders.
# Build in the root of the repository: docker build -f deploy/orchestrator.Dockerfile -t keepers-orchestrator .
ARG PYTHON_IMAGE=docker.io/library/python:3.11-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
WORKDIR /build
RUN python -m venv /opt/keepers
ENV PATH=/opt/keepers/bin:$PATH PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
# The packages it needs before its own code, which changes more often.
COPY pyproject.toml constraints.txt deploy/requirements.py ./
RUN --mount=type=secret,id=pip,target=/etc/pip.conf \
    python requirements.py orchestrator objects > requirements.txt \
    && pip install --quiet -c constraints.txt setuptools -r requirements.txt
COPY README.md LICENSE ./
COPY shared shared
COPY orchestrator orchestrator
# keepers-worker would find no workers here.
RUN pip install --quiet --no-deps --no-index --no-build-isolation . && rm /opt/keepers/bin/keepers-worker

FROM ${PYTHON_IMAGE}
RUN groupadd --gid 10001 keepers \
    && useradd --uid 10001 --gid 10001 --home-dir /var/lib/keepers --shell /usr/sbin/nologin keepers \
    && install -d -o 10001 -g 10001 -m 750 /var/lib/keepers /var/lib/keepers/models \
    && install -d /photos
COPY --from=build /opt/keepers /opt/keepers
ENV PATH=/opt/keepers/bin:$PATH PYTHONUNBUFFERED=1 KEEPERS_HOME=/var/lib/keepers
USER 10001:10001
WORKDIR /var/lib/keepers
EXPOSE 8000
STOPSIGNAL SIGTERM
# Migrations and a database that is not up yet come before the first answer.
HEALTHCHECK --interval=15s --timeout=5s --start-period=5m --retries=4 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
ENTRYPOINT ["keepers"]
CMD ["serve", "--host", "0.0.0.0"]
