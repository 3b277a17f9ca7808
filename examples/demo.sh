#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# demo.sh - what `make demo` runs: brings up examples/compose/nginx-uwsgi-mongo, proves that it answers, leaves it running.
#
# Where Docker Hub answers within two seconds, nginx and mongo are the real ones; else every image is made from Debian
# packages and pulled from a registry on loopback (DEMO_LOCAL=1 forces that).  WINCH_ROOT and HTTP_PORT are obeyed.
set -euo pipefail
top=$(cd "$(dirname "$0")/.." && pwd)
stack=$top/examples/compose/nginx-uwsgi-mongo
export PATH=$top/build/bin:$PATH
say() { printf '\n\033[1m== %s\033[0m\n' "$*"; }

if [ "$(id -u)" != 0 ]; then
    echo "demo: needs root (namespaces, mounts, a bridge): sudo make demo" >&2
    exit 1
fi
if [ ! -x "$top/build/bin/winch" ]; then
    echo "demo: build/bin/winch is missing: make" >&2
    exit 1
fi

# a port that nobody has
port_is_taken() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
if [ -z "${HTTP_PORT-}" ]; then
    HTTP_PORT=8080
    running=$(winch -f "$stack/compose.yaml" ps -q web 2>/dev/null || true)
    while [ -z "$running" ] && port_is_taken "$HTTP_PORT"; do
        HTTP_PORT=$((HTTP_PORT + 1))
    done
fi
export HTTP_PORT

# shellcheck source=tests/lib/images.sh
. "$top/tests/lib/images.sh"
work=$(mktemp -d)
trap 'registry_stop; rm -rf "$work"' EXIT

public=
if [ -z "${DEMO_LOCAL-}" ]; then
    case $(curl -s -o /dev/null -m 2 -w '%{http_code}' https://registry-1.docker.io/v2/ || true) in
    200 | 401) public=1 ;;
    esac
fi
if [ -n "$public" ]; then
    say "Docker Hub answers: nginx and mongo are pulled from there, the application's image is made here"
    tar -C "$(image_path uwsgi-app)" -cf "$work/app.tar" .
    winch image import "$work/app.tar" winch-examples/uwsgi-app --change 'WORKDIR /app' --change 'ENV PYTHONUNBUFFERED=1'
else
    say "no public registry within reach: making the images from Debian packages (once; then cached)"
    registry_start "$work"
    printf 'registries:\n  mirrors: {docker.io: ["%s"]}\n  insecure: ["%s"]\n' "$REGISTRY" "$REGISTRY" >"$work/winch.yaml"
    export WINCH_CONFIG=$work/winch.yaml
    echo "docker-registry serves them on $REGISTRY"
    echo "NOTE: the database is a STAND-IN: it speaks MongoDB's wire protocol over mongomock and is not MongoDB."
fi

cd "$stack"
say "winch up -d --wait"
begin=${EPOCHREALTIME/./}
winch up -d --wait
echo "up and healthy after $(((${EPOCHREALTIME/./} - begin) / 1000)) ms"

say "ten requests through the published port"
./test.sh "http://127.0.0.1:$HTTP_PORT" 10

say "winch ps"
winch ps

port_prefix=
[ "$HTTP_PORT" = 8080 ] || port_prefix="HTTP_PORT=$HTTP_PORT "
cat <<TEXT

The stack stays up at http://127.0.0.1:$HTTP_PORT/documents.  What to try next:

    cd examples/compose/nginx-uwsgi-mongo${WINCH_ROOT:+; export WINCH_ROOT=$WINCH_ROOT}; PATH=$top/build/bin:\$PATH
    curl http://127.0.0.1:$HTTP_PORT/documents
    winch logs -f app
    winch exec db sh
    kill -9 \$(winch ps --format json app | jq .Pid); winch ps      # restarted
    ${port_prefix}winch down; ${port_prefix}winch up -d --wait           # the documents are still there
    winch down -v                                  # stop, and remove the data too
TEXT
