#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# images.sh - the images of the tests and of `make demo`, made from Debian packages, in a registry on loopback.
#
#   images.sh build                 makes what is missing (cold about 25 s, warm at once) and prints the registry's data
#   images.sh path NAME             prints the root filesystem of one image: busybox nginx mongo uwsgi-app
#   . images.sh; registry_start DIR [rw]     starts docker-registry on a free loopback port of this network namespace,
#                                   sets REGISTRY=127.0.0.1:PORT and REGISTRY_PID; logs and configuration go to DIR.
#                                   Read-only over the shared cache; with rw over a copy in DIR, which takes pushes.
#                registry_stop
#
# Everything is cached below $WINCH_TEST_CACHE (default ~/.cache/winch-tests) under a hash of what it is made from, and
# appears there by rename, whole or not at all.  Names in the registry: library/busybox, library/nginx (latest, stable),
# library/mongo (latest, 7), winch-examples/uwsgi-app.  The mongo image is a stand-in and says so in its label.
# Needs root and the Debian packages docker-registry, busybox-static, python3.
# shellcheck disable=SC2034   # recipes are read through their names
images_lib=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
images_top=$(dirname "$(dirname "$images_lib")")
images_src=$images_top/tests/image
images_cache=${WINCH_TEST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/winch-tests}
images_probe=${WINCH_PROBE:-$images_top/build/tests/probe}
images_all=(busybox nginx mongo uwsgi-app)
export DEBROOT_CACHE=${DEBROOT_CACHE:-$images_cache/debs}

# --- recipes: packages_NAME, and make_NAME DIR, which finishes the unpacked packages -----------------------------------
packages_base='base-files base-passwd libc-bin dash coreutils'
packages_nginx="$packages_base nginx-light curl"
packages_mongo="$packages_base python3-minimal python3-bson python3-mongomock"
packages_uwsgi_app="$packages_base uwsgi-core uwsgi-plugin-python3 python3-pymongo python3-bottle"

# config_NAME: "config" of the image, as in the OCI image specification
path_env='"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"'
config_busybox='{"Cmd":["sh"],"Env":['$path_env']}'
config_nginx='{"Cmd":["nginx","-g","daemon off;"],"Env":['$path_env',"NGINX_VERSION=debian"],
    "ExposedPorts":{"80/tcp":{}},"StopSignal":"SIGQUIT"}'
config_mongo='{"Entrypoint":["docker-entrypoint.sh"],"Cmd":["mongod"],"Env":['$path_env',"HOME=/data/db"],
    "ExposedPorts":{"27017/tcp":{}},"Volumes":{"/data/db":{},"/data/configdb":{}},
    "Labels":{"org.winch.stand-in":"a wire-compatible test server over mongomock, not MongoDB"}}'
config_uwsgi_app='{"Cmd":["uwsgi","--help"],"Env":['$path_env',"PYTHONUNBUFFERED=1"],"WorkingDir":"/app",
    "ExposedPorts":{"3031/tcp":{}},"StopSignal":"SIGTERM"}'

make_base() {
    local f
    for f in "$1/usr/share/base-files/profile" "$1/usr/share/bash-completion" "$1/usr/share/lintian"; do
        rm -rf "$f"
    done
}

make_busybox() {
    local dir=$1 applet
    mkdir -p "$dir"/{bin,dev,etc,home,proc,root,sys,tmp,usr/bin,usr/sbin,var/tmp,var/www}
    chmod 1777 "$dir/tmp" "$dir/var/tmp"
    chmod 700 "$dir/root"
    cp "$(command -v busybox)" "$dir/bin/busybox"
    for applet in $(busybox --list); do
        [ "$applet" = busybox ] || ln "$dir/bin/busybox" "$dir/bin/$applet"
    done
    ln -s ../../bin/env "$dir/usr/bin/env"
    printf 'root:x:0:0:root:/root:/bin/sh\ndaemon:x:1:1:daemon:/usr/sbin:/bin/false\n' >"$dir/etc/passwd"
    printf 'www-data:x:33:33:www-data:/var/www:/bin/false\nnobody:x:65534:65534::/:/bin/false\n' >>"$dir/etc/passwd"
    printf 'root:x:0:\ndaemon:x:1:\nadm:x:4:www-data\nwww-data:x:33:\nnogroup:x:65534:\n' >"$dir/etc/group"
    printf 'hosts: files dns\n' >"$dir/etc/nsswitch.conf"
    [ ! -x "$images_probe" ] || cp "$images_probe" "$dir/bin/probe"
}

make_nginx() {
    local dir=$1
    rm -rf "$dir"/etc/nginx/{sites-available,sites-enabled,modules-enabled,snippets} "$dir/var/www/html"
    mkdir -p "$dir"/etc/nginx/conf.d "$dir"/usr/share/nginx/html "$dir"/var/log/nginx "$dir"/var/lib/nginx
    cp "$images_src/nginx/nginx.conf" "$dir/etc/nginx/nginx.conf"
    cp "$images_src/nginx/default.conf" "$dir/etc/nginx/conf.d/default.conf"
    cp "$images_src/nginx/index.html" "$dir/usr/share/nginx/html/index.html"
    ln -sf /dev/stdout "$dir/var/log/nginx/access.log"
    ln -sf /dev/stderr "$dir/var/log/nginx/error.log"
}

make_mongo() {
    local dir=$1
    printf 'mongodb:x:999:999::/data/db:/usr/sbin/nologin\n' >>"$dir/etc/passwd"
    printf 'mongodb:x:999:\n' >>"$dir/etc/group"
    mkdir -p "$dir"/data/db "$dir"/data/configdb "$dir"/usr/local/bin
    chown -R 999:999 "$dir/data"
    cp "$images_src"/mongo/mongod "$images_src"/mongo/mongosh "$dir/usr/bin/"
    cp "$images_src"/mongo/docker-entrypoint.sh "$dir/usr/local/bin/"
    [ -e "$dir/usr/bin/python3" ] || ln -s "$(cd "$dir/usr/bin" && echo python3.*)" "$dir/usr/bin/python3"
}

make_uwsgi_app() {
    local dir=$1 plugin
    mkdir -p "$dir/app" "$dir/usr/bin"
    plugin=$(basename "$dir"/usr/lib/uwsgi/plugins/python3*_plugin.so _plugin.so)
    sed "s/--plugin python3/--plugin $plugin/" "$images_src/uwsgi-app/uwsgi" >"$dir/usr/bin/uwsgi"
    chmod 755 "$dir/usr/bin/uwsgi"
}

repository_of() {
    case $1 in
    uwsgi-app) echo winch-examples/uwsgi-app ;;
    *) echo "library/$1" ;;
    esac
}

more_tags_of() {
    case $1 in
    nginx) echo stable ;;
    mongo) echo 7 ;;
    busybox) echo stable ;;
    esac
}

# --- the cache ---------------------------------------------------------------------------------------------------------
images_hash() { # everything that goes into one image
    local name=$1 var=${1//-/_} packages config
    packages=packages_$var config=config_$var
    {
        echo "${!packages-}" "${!config-}" "$(more_tags_of "$name")" "$(dpkg --print-architecture)"
        declare -f "make_$var"
        cat "$images_lib/debroot" "$images_lib/imagekit.py"
        [ ! -d "$images_src/$name" ] || find "$images_src/$name" -type f -exec sha256sum {} + | sort
        [ "$name" != busybox ] || cat "$(command -v busybox)" "$images_probe" 2>/dev/null || :
        [ "$name" = busybox ] || [ "$name" = base ] || images_hash base
    } | sha256sum | cut -c1-16
}

# The two functions below are processes of their own (images.sh make-one, make-all), under set -eu.

# Makes $images_cache/NAME-HASH (root/, layer.tgz) if it is missing.
images_make_one() { # NAME HASH BASE_HASH BASE_PID
    local name=$1 var=${1//-/_} dir packages parent
    dir=$images_cache/$name-$2
    [ ! -d "$dir" ] || { touch "$dir"; return 0; }
    new=$(mktemp -d "$images_cache/tmp.XXXXXX")
    trap 'rm -rf "$new"' EXIT
    mkdir -m 755 "$new/root"
    packages=packages_$var
    # shellcheck disable=SC2086
    [ -z "${!packages-}" ] || "$images_lib/debroot" "$new/root" ${!packages}
    "make_$var" "$new/root"
    chmod 755 "$new"
    parent=()
    if [ "$name" != busybox ] && [ "$name" != base ]; then
        parent=(--parent "$images_cache/base-$3/root")
        until [ -e "$images_cache/base-$3" ]; do # it is made beside us
            kill -0 "$4" 2>/dev/null || [ -e "$images_cache/base-$3" ] || return 1
            sleep 0.1
        done
    fi
    "$images_lib/imagekit.py" layer --root "$new/root" "${parent[@]}" -o "$new/layer.tgz"
    mv -T "$new" "$dir"
}

images_layout() { # DIR: all images as one OCI layout
    local name var config layers tag repository
    for name in "${images_all[@]}"; do
        var=${name//-/_}
        config=config_$var
        layers=(--layer "$images_cache/base-${hash[base]}/layer.tgz")
        [ "$name" != busybox ] || layers=()
        layers+=(--layer "$images_cache/$name-${hash[$name]}/layer.tgz")
        repository=$(repository_of "$name")
        tag=$(more_tags_of "$name")
        "$images_lib/imagekit.py" image --layout "$1" --name "$repository:latest" ${tag:+--tag "$tag"} \
            "${layers[@]}" --config "${!config}" --decoy "$([ "$(uname -m)" = x86_64 ] && echo arm64 || echo amd64)"
    done
}

images_make_all() { # fills $images_registry
    local name pids=() new
    exec 8>"$images_cache/lock"
    flock 8
    [ ! -d "$images_registry" ] || return 0
    for name in base "${images_all[@]}"; do
        "$images_lib/images.sh" make-one "$name" "${hash[$name]}" "${hash[base]}" "${pids[0]-$$}" 8>&- &
        pids+=($!)
    done
    for name in "${pids[@]}"; do
        wait -n && continue
        kill "${pids[@]}" 2>/dev/null || :
        wait
        echo "images.sh: images could not be made" >&2
        return 1
    done
    new=$(mktemp -d "$images_cache/tmp.XXXXXX")
    # shellcheck disable=SC2064
    trap "registry_stop; rm -rf '$new'" EXIT
    images_layout "$new/layout"
    mkdir "$new/data"
    registry_run "$new" "$new/data" "" 8>&-
    "$images_lib/imagekit.py" push --layout "$new/layout" --registry "$REGISTRY"
    registry_stop
    mv -T "$new/data" "$images_registry"
    find "$images_cache" -maxdepth 1 \( -name '*-????????????????' -o -name 'tmp.*' \) -mtime +3 -exec rm -rf {} + || :
}

images_hashes() {
    local name
    for name in base "${images_all[@]}"; do
        hash[$name]=$(images_hash "$name")
    done
    images_registry=$images_cache/registry-$(echo "${hash[@]}" "$(declare -f images_layout)" | sha256sum | cut -c1-16)
}

# Sets images_registry to the folder of docker-registry's data, making it when it is missing.
images_build() {
    local -A hash=()
    mkdir -p "$images_cache"
    images_hashes
    [ -d "$images_registry" ] || "$images_lib/images.sh" make-all || return 1
    touch "$images_registry"
}

image_path() { # NAME
    images_build && echo "$images_cache/$1-$(images_hash "$1")/root"
}

# --- the registry ------------------------------------------------------------------------------------------------------
registry_run() { # DIR DATA readonly|""
    local dir=$1 data=$2 port n try
    for try in 1 2 3; do
        port=$(/usr/bin/python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
        {
            printf 'version: 0.1\nlog: {level: warn}\nhttp: {addr: "127.0.0.1:%s"}\n' "$port"
            printf 'storage:\n  filesystem: {rootdirectory: "%s"}\n  delete: {enabled: true}\n' "$data"
            [ -z "$3" ] || printf '  maintenance: {readonly: {enabled: true}}\n'
        } >"$dir/registry.yml"
        docker-registry serve "$dir/registry.yml" >"$dir/registry.log" 2>&1 &
        REGISTRY_PID=$!
        REGISTRY=127.0.0.1:$port
        for ((n = 0; n < 200; n++)); do
            kill -0 "$REGISTRY_PID" 2>/dev/null || break
            if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
                export REGISTRY
                return 0
            fi
            sleep 0.05
        done
        registry_stop
    done
    cat "$dir/registry.log" >&2
    echo "images.sh: docker-registry did not start ($try times)" >&2
    return 1
}

registry_start() { # DIR [rw]
    local dir=$1 data
    mkdir -p "$dir"
    images_build || return 1
    data=$images_registry
    if [ "${2-}" = rw ]; then
        data=$dir/registry
        mkdir -p "$data/docker/registry/v2"
        if ! cp -al "$images_registry/docker/registry/v2/blobs" "$data/docker/registry/v2/" 2>/dev/null; then # another file system
            rm -rf "$data/docker/registry/v2/blobs"
            cp -a "$images_registry/docker/registry/v2/blobs" "$data/docker/registry/v2/"
        fi
        cp -a "$images_registry/docker/registry/v2/repositories" "$data/docker/registry/v2/repositories"
    fi
    registry_run "$dir" "$data" "$([ "${2-}" = rw ] || echo readonly)"
}

registry_stop() {
    [ -n "${REGISTRY_PID-}" ] || return 0
    kill "$REGISTRY_PID" 2>/dev/null || :
    wait "$REGISTRY_PID" 2>/dev/null || :
    REGISTRY_PID=
    return 0
}

if [ "${BASH_SOURCE[0]}" = "$0" ]; then
    set -u
    case ${1-} in
    build) images_build && echo "$images_registry" ;;
    path) image_path "$2" ;;
    make-one)
        set -eo pipefail
        images_make_one "$2" "$3" "$4" "$5"
        ;;
    make-all)
        set -eo pipefail
        declare -A hash=()
        images_hashes
        images_make_all
        ;;
    *)
        sed -n '3,/^# Needs/s/^# \{0,1\}//p' "$0" >&2
        exit 1
        ;;
    esac
fi
