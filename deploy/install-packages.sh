#!/bin/sh
# Installs Debian packages as root, and leaves no service running or enabled that was not so before.
# usage: sh deploy/install-packages.sh PACKAGE...
set -eu

policy=/usr/sbin/policy-rc.d
services="rabbitmq-server.service epmd.service epmd.socket"

if [ "$(id -u)" -ne 0 ]; then
    echo "install-packages.sh: run this as root: sudo sh deploy/install-packages.sh $*" >&2
    exit 1
fi

enabled_before=""
if command -v systemctl >/dev/null 2>&1; then
    for service in $services; do
        if systemctl is-enabled --quiet "$service" 2>/dev/null; then enabled_before="$enabled_before $service"; fi
    done
fi

# Debian's packages start their services unless this program forbids it with status 101.
restore() {
    rm -f "$policy"
    if [ -e "$policy.keepers" ]; then mv "$policy.keepers" "$policy"; fi
}
trap restore EXIT
trap 'exit 130' INT TERM
if [ -e "$policy" ]; then mv "$policy" "$policy.keepers"; fi
printf '#!/bin/sh\nexit 101\n' >"$policy"
chmod 755 "$policy"

export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends "$@"

if command -v systemctl >/dev/null 2>&1; then
    for service in $services; do
        case "$enabled_before " in
        *" $service "*) ;;
        *) systemctl disable --quiet "$service" 2>/dev/null || true ;;
        esac
    done
fi
