# The workers, for every stage. PyTorch for the CPU; with --build-arg CUDA=1 the CUDA build, some gigabytes more.
# Build in the root of the repository: docker build -f deploy/worker.Dockerfile -t keepers-worker .
ARG PYTHON_IMAGE=docker.io/library/python:3.11-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
WORKDIR /build
RUN python -m venv /opt/keepers
ENV PATH=/opt/keepers/bin:$PATH PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
# The packages they need before their own code, which changes more often. On Linux the ordinary index has torch with
# CUDA only; where another index has the same version for the CPU, as 2.x.y+cpu, pip prefers that one.
ARG CUDA=
ARG TORCH_INDEX_URL=https://download.pytorch.org/whl/cpu
COPY pyproject.toml constraints.txt deploy/requirements.py ./
RUN --mount=type=secret,id=pip,target=/etc/pip.conf \
    if [ "$CUDA" = 1 ]; then TORCH_INDEX_URL=; fi \
    && python requirements.py workers embed objects > requirements.txt \
    && pip install --quiet -c constraints.txt ${TORCH_INDEX_URL:+--extra-index-url "$TORCH_INDEX_URL"} \
        setuptools -r requirements.txt
COPY README.md LICENSE ./
COPY shared shared
COPY workers workers
# keepers would find no orchestrator here.
RUN pip install --quiet --no-deps --no-index --no-build-isolation . && rm /opt/keepers/bin/keepers

FROM ${PYTHON_IMAGE}
RUN groupadd --gid 10001 keepers \
    && useradd --uid 10001 --gid 10001 --home-dir /var/lib/keepers --shell /usr/sbin/nologin keepers \
    && install -d -o 10001 -g 10001 -m 750 /var/lib/keepers /var/lib/keepers/models \
    && install -d /photos
COPY --from=build /opt/keepers /opt/keepers
ENV PATH=/opt/keepers/bin:$PATH PYTHONUNBUFFERED=1 KEEPERS_HOME=/var/lib/keepers WORKER_HEARTBEAT=/tmp/keepers-worker
USER 10001:10001
WORKDIR /var/lib/keepers
# The supervisor finishes what is in work, 20 seconds long; give it 30 before you kill it.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=10s --start-period=30s --retries=3 CMD ["keepers-worker", "--check"]
ENTRYPOINT ["keepers-worker"]
