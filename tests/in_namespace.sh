#!/bin/sh
# Run a command in a network namespace of its own: loopback, and a veth with 10.99.0.1 (on loopback
# alone neither Chromium nor aioice gathers candidates). Nothing of a test reaches any other network.
set -eu
if [ "$(id -u)" = 0 ]; then unshare="unshare -n"; else unshare="unshare -Urn"; fi
PATH="$PATH:/usr/sbin:/sbin"
export PATH
if command -v ip >/dev/null 2>&1 && $unshare true 2>/dev/null; then
    export TELECARE_TEST_NETWORK=1
    # shellcheck disable=SC2016
    exec $unshare sh -c '
        ip link set lo up
        ip link add tc0 type veth peer name tc1
        ip addr add 10.99.0.1/24 dev tc0
        ip link set tc0 up
        ip link set tc1 up
        ip route add default via 10.99.0.1
        exec "$@"
    ' sh "$@"
fi
exec "$@"
