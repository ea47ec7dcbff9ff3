#!/bin/sh
# Brings what Keepers needs: system packages, then .venv from constraints.txt. Does nothing where nothing is missing.
# usage: sh deploy/setup.sh [up|demo|test]
set -eu
cd "$(dirname "$0")/.."

purpose=${1:-up}
case "$purpose" in
up) extras=orchestrator,workers,embed,embedded ;;
demo) extras=orchestrator,workers,embed,embedded,samples ;;
test) extras=orchestrator,workers,embed,embedded,samples,dev ;;
*) echo "usage: sh deploy/setup.sh [up|demo|test]" >&2; exit 2 ;;
esac

stop() {
    echo "setup: $*" >&2
    exit 1
}

# ---- what is missing ----

has_rabbitmq() {
    [ -x /usr/lib/rabbitmq/bin/rabbitmq-server ] || [ -x /opt/homebrew/opt/rabbitmq/sbin/rabbitmq-server ] ||
        [ -x /usr/local/opt/rabbitmq/sbin/rabbitmq-server ]
}

has_chromium() {
    command -v chromium >/dev/null || command -v google-chrome >/dev/null ||
        [ -d "/Applications/Google Chrome.app" ] || [ -d "/Applications/Chromium.app" ]
}

has_exiftool() { command -v exiftool >/dev/null; }

# One package of the samples and of the tests, PiDNG, comes as source.
can_compile() {
    command -v cc >/dev/null &&
        "$(find_python)" -c 'import pathlib, sys, sysconfig; sys.exit(not pathlib.Path(sysconfig.get_path("include"), "Python.h").exists())'
}

# The first Python that is new enough and can make environments.
find_python() {
    for candidate in "${PYTHON:-python3}" /usr/bin/python3 python3.13 python3.12 python3.11; do
        if "$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
}

# ---- system packages ----

install_packages() {
    if command -v apt-get >/dev/null; then
        if [ "$(id -u)" -eq 0 ]; then
            sh deploy/install-packages.sh "$@"
        elif command -v sudo >/dev/null && { [ -t 0 ] || sudo -n true 2>/dev/null; }; then
            sudo sh deploy/install-packages.sh "$@"
        else
            stop "these packages are missing. Type: sudo sh deploy/install-packages.sh $*"
        fi
    elif command -v brew >/dev/null; then
        formulae=$(echo " $* " | sed 's/rabbitmq-server/rabbitmq/; s/python3-venv/python@3.13/; s/libimage-exiftool-perl/exiftool/; s/ chromium / /')
        if [ -n "${formulae# }" ]; then brew install $formulae; fi
        case " $* " in *" chromium "*) brew install --cask chromium ;; esac
    else
        stop "install these with your system's package manager, then try again: $*"
    fi
}

missing=""
if [ ! -x .venv/bin/python ] && [ -z "$(find_python)" ]; then missing="$missing python3-venv"; fi
if [ "$purpose" != up ] && { [ -n "$missing" ] || ! can_compile; }; then missing="$missing gcc libc6-dev python3-dev"; fi
if ! has_rabbitmq; then missing="$missing rabbitmq-server"; fi
if [ "$purpose" = test ] && ! has_chromium; then missing="$missing chromium"; fi
if [ "$purpose" = test ] && ! has_exiftool; then missing="$missing libimage-exiftool-perl"; fi
if [ -n "$missing" ]; then
    echo "Keepers needs system packages:$missing"
    echo "  (rabbitmq-server with Erlang: 35 MB to download, 65 MB on disk; chromium: 80 MB and what it needs;"
    echo "  exiftool, which reads sidecars in the tests: 4 MB; gcc, for one Python package of the samples: 60 MB)"
    echo "  No service of theirs is started or enabled: Keepers runs a RabbitMQ of its own, only while it is open."
    install_packages $missing
fi

# ---- the Python environment ----

# The same pins, the same packages, the same extras: nothing to do.
stamp=.venv/.keepers-setup
wanted="$(cat constraints.txt pyproject.toml deploy/setup.sh | cksum)"
if [ -x .venv/bin/keepers ] && grep -qsxF "$wanted $extras" "$stamp"; then exit 0; fi

if [ ! -x .venv/bin/python ]; then
    python=$(find_python)
    [ -n "$python" ] || stop "Keepers needs Python 3.11 or newer with its venv module."
    "$python" -m venv .venv
fi
# Run as a module: the configuration that this machine has for pip applies.
pip() { .venv/bin/python -m pip --disable-pip-version-check "$@"; }
index=""
if [ -n "${TORCH_INDEX_URL:-}" ]; then index="--extra-index-url $TORCH_INDEX_URL"; fi

# On Linux the ordinary index has torch with CUDA, some gigabytes. Ask pip what it would take before it takes it.
if [ "${KEEPERS_CUDA:-}" != 1 ] && ! .venv/bin/python -c 'import torch' 2>/dev/null; then
    if pip install --quiet --dry-run --report - -c constraints.txt $index torch 2>/dev/null | grep -q '"name": *"nvidia-'; then
        stop "pip would take the CUDA build of torch here, more than 2 GB. Either set TORCH_INDEX_URL to the index of
PyTorch's CPU wheels (the README says where it is named), or take CUDA with KEEPERS_CUDA=1, and try again."
    fi
fi

echo "Installing Python packages into .venv: about 390 MB to download the first time, 1.5 GB on disk."
pip install --quiet -c constraints.txt setuptools
# With the setuptools just installed: a build of its own would fetch another one.
pip install --quiet --no-build-isolation --no-compile -c constraints.txt $index --editable ".[$extras]"
# pip would do it on one core. Some packages hold files for other versions of Python, which cannot be compiled.
.venv/bin/python -m compileall -qq -j 0 .venv/lib || true
# An environment that serves the tests serves the rest too.
for served in orchestrator,workers,embed,embedded orchestrator,workers,embed,embedded,samples "$extras"; do
    echo "$wanted $served"
    if [ "$served" = "$extras" ]; then break; fi
done >"$stamp"
echo "Keepers is set up: .venv/bin/keepers"
