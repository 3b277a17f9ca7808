#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# 29-pull.sh - lying and failing registries, archives given to load, damage in the store, pulls at the same time.
# limit: 180
# shellcheck source=tests/lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"
lab_enter "$@"
store=$WINCH_ROOT/lib
worker=$T_DIST/libexec/winch/winch-image

# --- documents and blobs that are not what they claim -----------------------------------------------------------------------
# NAME | code of the error or "taken" | members of the image | members of its layer
cat >cases <<'CASES'
IMG-18 flip|corrupt||"flip": 30
IMG-18 short|corrupt||"truncate": 20
IMG-18 size-lie|corrupt||"size": 5
IMG-18 digest-lie|corrupt||"digest": "sha256:1111111111111111111111111111111111111111111111111111111111111111"
IMG-18 diff-id-lie|corrupt||"diff_id": "sha256:1111111111111111111111111111111111111111111111111111111111111111"
IMG-20 both-kinds|corrupt|"manifest_patch": {"manifests": []}|
IMG-20 other-type-inside|corrupt|"manifest_patch": {"mediaType": "application/vnd.oci.image.index.v1+json"}|
IMG-20 schema-1|unsupported|"manifest_patch": {"schemaVersion": 1}|
IMG-29 stop-signal|corrupt|"config_patch": {"config": {"StopSignal": "SIGFOO"}}|
IMG-29 volume|corrupt|"config_patch": {"config": {"Volumes": {"/a/../..": {}}}}|
IMG-29 entrypoint|corrupt|"config_patch": {"config": {"Entrypoint": "/bin/sh"}}|
IMG-26 duplicate-key|corrupt|"config_raw": "{\"os\":\"linux\",\"os\":\"x\"}"|
IMG-36 other-machine|unsupported|"architecture": "s390x"|
zstd|taken||"compress": "zstd"
uncompressed|taken||"compress": "none"
docker-types|taken|"media": "docker"|
CASES
{
    echo '{"images": ['
    while IFS='|' read -r name _ image layer; do
        printf '{"name": "t/%s:latest", "config": {"Cmd": ["x"]}%s, "layers": [{"entries": [{"name": "%s", "data": "x"}]%s}]},\n' \
            "${name#* }" "${image:+, $image}" "${name#* }" "${layer:+, $layer}"
    done <cases
    printf '{"name": "t/good:latest", "config": {"Cmd": ["x"]}, "layers": [{"entries": [{"name": "f", "fill": 3000000},
        {"name": "g", "data": "x"}]}, {"entries": [{"name": "h", "data": "y"}]}]}]}\n'
} >recipe.json
"$t_lib/imagekit.py" make recipe.json --layout layout || t_abort "the images could not be made"
lab_kit layout
lab_mirror "$KIT"
pull() { "$worker" --root "$WINCH_ROOT" pull "$@"; }
while IFS='|' read -r name wanted _; do
    t_run pull "t/${name#* }"
    if [ "$wanted" = taken ]; then
        t_is "$name: pulled" "$T_STATUS" 0
        continue
    fi
    t_like "$name: refused" "$T_OUT" "\"error\":.*\"code\":\"$wanted\""
    t_is "$name: exit status" "$T_STATUS" 1
done <cases
t_is "IMG-18 nothing is left of what was refused" "$(find "$store/layers" -mindepth 1 -maxdepth 1 | wc -l)" 3
t_is "no half-made thing is left" "$(ls -A "$store/tmp")" ""
for reference in '127.0.0.1:1/../../x' 'a/%2e%2e/x' "$(printf 'a%.0s' $(seq 4000))" 'Upper' 'x@sha256:12'; do
    t_run pull "$reference"
    t_like "IMG-28 refused: ${reference:0:30}" "$T_OUT" '"code":"config"'
done

# --- registries that fail ---------------------------------------------------------------------------------------------------
kit() { # SCRIPT: another registry over the same images
    kill "$KIT_PID"
    wait "$KIT_PID" 2>/dev/null
    printf '%s' "$1" >script.json
    : >"$LAB/kit.log"
    lab_kit layout script.json
    lab_mirror "$KIT"
    rm -rf "$WINCH_ROOT"
}
b='GET .*/blobs/.*' m='GET .*/manifests/.*'
kit "[{\"match\": \"$b\", \"do\": \"truncate\", \"times\": 3}]"
t_ok "IMG-27 broken transfers are continued" pull t/good
t_like "IMG-27 with Range" "$(cat "$LAB/kit.log")" '[Rr]ange.*bytes='
kit "[{\"match\": \"$b\", \"do\": \"reset\", \"times\": 2}]"
t_ok "IMG-27 reset connections are tried again" pull t/good
kit "[{\"match\": \"$m\", \"do\": \"status\", \"code\": 503, \"times\": 2}]"
t_ok "IMG-27 a busy registry is asked again" pull t/good
kit "[{\"match\": \"$m\", \"do\": \"ratelimit\", \"retry_after\": 99999}]"
t_run timeout 10 "$worker" --root "$WINCH_ROOT" pull "$KIT/t/good"
t_is "IMG-27 a huge Retry-After ends at once" "$T_STATUS" 1
kit "[{\"match\": \"$m\", \"do\": \"endless\"}]"
t_run timeout 10 "$worker" --root "$WINCH_ROOT" pull "$KIT/t/good"
t_like "IMG-27 an endless document is cut" "$T_OUT" '"code":"limit"'
kit "[{\"match\": \"$m\", \"do\": \"digest\"}]"
t_run pull "$KIT/t/good"
t_like "IMG-21 a false digest header is refused" "$T_OUT" '"code":"corrupt"'

mkdir -p "$HOME/.docker"
kit '[{"match": "GET .*", "do": "unauthorized", "realm": "http://127.0.0.9:9/token", "service": "s"}]'
printf '{"auths": {"%s": {"auth": "dTpw"}}}' "$KIT" >"$HOME/.docker/config.json"
chmod 600 "$HOME/.docker/config.json"
t_run pull "$KIT/t/good"
t_like "IMG-22 a login at another host without https is refused" "$T_OUT" '"code":"denied"'
t_unlike "IMG-22 no password left" "$(cat "$LAB/kit.log")" '[Aa]uthorization'
rm "$HOME/.docker/config.json"

# --- the store --------------------------------------------------------------------------------------------------------------
kit '[]'
for _ in 1 2 3 4 5; do
    for n in 1 2 3 4; do
        (pull t/good >"out.$n" 2>&1 || cp "out.$n" failed) &
        pulls[n]=$!
    done
    winch image rm t/good >/dev/null 2>&1
    wait "${pulls[@]}"
done
t_true "IMG-35 pulls and removals at once all succeed" test ! -e failed
pull t/good >/dev/null
t_ok "IMG-35 and leave a whole store" "$worker" --root "$WINCH_ROOT" verify
file=$(find "$store/layers" -path '*/diff/f')
printf X | dd of="$file" bs=1 seek=1000 conv=notrunc 2>/dev/null
t_run "$worker" --root "$WINCH_ROOT" verify
t_like "IMG-33 a flipped byte is found" "$T_OUT" "file '/f' has another content"
t_run "$worker" --root "$WINCH_ROOT" verify --repair
pull t/good >/dev/null
t_ok "IMG-33 repaired by a pull" "$worker" --root "$WINCH_ROOT" verify
for _ in 1 2 3 4 5 6; do
    rm -rf "$store" 2>/dev/null || { sleep 0.2; rm -rf "$store"; } # its children die a moment later
    "$worker" --root "$WINCH_ROOT" pull t/good >/dev/null 2>&1 & # not the function: the worker itself is killed
    sleep "0.0$((RANDOM % 9))"
    kill -9 $! 2>/dev/null
    wait $! 2>/dev/null
done
t_ok "S8 a killed pull is no obstacle" pull t/good
t_is "S8 and leaves nothing half-made" "$(ls -A "$store/tmp")" ""

# --- archives ---------------------------------------------------------------------------------------------------------------
archive() { # MANIFEST.JSON [COMMAND in the folder]
    rm -rf a && mkdir a && printf '%s' "$1" >a/manifest.json
    (cd a && eval "${2:-:}")
    tar -C a -cf a.tar .
    t_run "$worker" --root "$WINCH_ROOT" load a.tar
}
archive '[{"Config":"../../../../etc/passwd","RepoTags":["x:1"],"Layers":[]}]'
t_like "IMG-32 a config outside" "$T_OUT" '"code":"corrupt"'
archive '[{"Config":"c","RepoTags":["x:1"],"Layers":["l"]}]' 'ln -s /etc/passwd c; ln -s /etc/shadow l'
t_like "IMG-32 links out" "$T_OUT" '"code":"corrupt"'
archive '[{"Config":"c","RepoTags":["../../etc/x"],"Layers":[]}]' 'echo {} >c'
t_like "IMG-28 a name that is a path" "$T_OUT" '"code":"corrupt"'
archive '[{"Config":"c","RepoTags":[],"Layers":["l"]}]' 'mkfifo c'
t_like "IMG-32 a FIFO as member" "$T_OUT" '"code":"corrupt"'
archive 'no json'
t_like "IMG-32 garbage" "$T_OUT" '"code":"corrupt"'
t_is "IMG-32 nothing is left" "$(ls -A "$store/tmp")" ""
kill "$KIT_PID"
wait "$KIT_PID" 2>/dev/null
t_done
