#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# 22-images.sh - hostile layers: names, links, root entries, whiteouts; layers never touch each other or the host.
# limit: 180
# shellcheck source=tests/lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"
lab_enter "$@"
for part in winch leakcheck canary; do
    # shellcheck disable=SC1090
    . "$t_lib/$part.sh"
done
canary_make
leak_before
store=$WINCH_ROOT/lib

# One image for each case: a base layer with the probe, then the layer under test.  Lines: NAME | WANTED | ENTRIES, where
# WANTED is "refused", or what `ls` of the image's root shows of the layer under test.
base='{"entries": [{"name": "probe", "mode": "755", "data_file": "'$WINCH_PROBE'"}, {"name": "base/", "type": "dir"},
  {"name": "base/keep", "data": "base"}, {"name": "base/gone", "data": "base"}, {"name": "etc/", "type": "dir"},
  {"name": "etc/conf", "data": "base", "mode": "644"}]}'
cat >cases <<CASES
IMG-01 dotdot|refused|{"name": "../x", "data": "bad"}
IMG-01 inner-dotdot|refused|{"name": "a/../../x", "data": "bad"}
IMG-01 absolute|refused|{"name": "/abs", "data": "bad"}
IMG-01 dot-dotdot|refused|{"name": "./../x", "data": "bad"}
IMG-01 double-slash|file a/b|{"name": "a/", "type": "dir"}, {"name": "a//b", "data": "ok"}
IMG-01 dot-inside|file a/b|{"name": "a/", "type": "dir"}, {"name": "a/./b", "data": "ok"}
IMG-01 empty-name|refused|{"name": "", "data": "bad"}
IMG-01 deep|refused|{"name": "$(printf '../%.0s' $(seq 1 1000))x", "data": "bad"}
IMG-02 link-absolute|refused-or-inside|{"name": "a", "type": "symlink", "link": "$CANARY"}, {"name": "a/f", "data": "bad"}
IMG-02 link-relative|refused-or-inside|{"name": "a", "type": "symlink", "link": "../../../../../../../..$CANARY"}, {"name": "a/f", "data": "bad"}
IMG-02 link-chain|refused-or-inside|{"name": "b", "type": "symlink", "link": "a"}, {"name": "a", "type": "symlink", "link": "$CANARY"}, {"name": "b/f", "data": "bad"}
IMG-02 link-proc|refused-or-inside|{"name": "a", "type": "symlink", "link": "/proc/self/root$CANARY"}, {"name": "a/f", "data": "bad"}
IMG-02 link-then-dir|refused-or-inside|{"name": "a", "type": "symlink", "link": "$CANARY"}, {"name": "a/", "type": "dir", "mode": "777"}
IMG-02 link-lower-layer|refused-or-inside|{"name": "base", "type": "symlink", "link": "$CANARY"}, {"name": "base/secret", "data": "bad", "mode": "777"}
IMG-04 hardlink-absolute|refused-or-inside|{"name": "h", "type": "hardlink", "link": "$CANARY/secret"}, {"name": "h", "data": "bad", "mode": "777"}
IMG-04 hardlink-dotdot|refused|{"name": "h", "type": "hardlink", "link": "../../x"}
IMG-04 hardlink-through-link|refused-or-inside|{"name": "a", "type": "symlink", "link": "$CANARY"}, {"name": "h", "type": "hardlink", "link": "a/secret"}
IMG-04 hardlink-to-link|refused-or-inside|{"name": "a", "type": "symlink", "link": "$CANARY/secret"}, {"name": "h", "type": "hardlink", "link": "a"}, {"name": "h", "data": "bad", "mode": "777"}
IMG-06 root-symlink|refused-or-inside|{"name": "./", "type": "symlink", "link": "$CANARY"}
IMG-06 root-file|refused-or-inside|{"name": ".", "data": "bad"}
IMG-06 root-fifo|refused-or-inside|{"name": ".", "type": "fifo"}
IMG-06 root-mode|file probe|{"name": "./", "type": "dir", "mode": "2777", "uid": 5}
IMG-07 whiteout|file base/keep|{"name": "base/", "type": "dir"}, {"name": "base/.wh.gone", "data": ""}
IMG-07 whiteout-same-layer|file base/fresh|{"name": "base/", "type": "dir"}, {"name": "base/fresh", "data": "ok"}, {"name": "base/.wh.fresh", "data": ""}
IMG-07 opaque-before|file base/new|{"name": "base/", "type": "dir"}, {"name": "base/.wh..wh..opq", "data": ""}, {"name": "base/new", "data": "ok"}
IMG-07 opaque-after|file base/new|{"name": "base/", "type": "dir"}, {"name": "base/new", "data": "ok"}, {"name": "base/.wh..wh..opq", "data": ""}
IMG-07 bare-wh|refused|{"name": "base/.wh.", "data": ""}
IMG-07 bare-wh-dot|refused|{"name": "base/.wh..", "data": ""}
IMG-07 bare-wh-dots|refused|{"name": "base/.wh...", "data": ""}
IMG-05 change-lower|file etc/conf|{"name": "etc/", "type": "dir", "mode": "777"}, {"name": "etc/hard", "type": "hardlink", "link": "etc/conf"}, {"name": "etc/conf", "data": "changed", "mode": "600"}
CASES

{
    echo '{"images": ['
    while IFS='|' read -r name _ entries; do
        printf '{"name": "library/%s:latest", "config": {"Cmd": ["/probe", "hold"]}, "layers": [%s, {"entries": [%s]}]},\n' \
            "${name#* }" "$base" "$entries"
    done <cases
    printf '{"name": "library/plain:latest", "config": {"Cmd": ["/probe", "hold"]}, "layers": [%s]}]}\n' "$base"
} >recipe.json
"$t_lib/imagekit.py" make recipe.json --layout layout || t_abort "the images could not be made"
lab_kit layout
lab_mirror "$KIT"
mkdir img && cd img || exit 1
pull() { # IMAGE, as the image of the one service
    printf 'name: img\nservices:\n  a: {image: %s}\n' "$1" >compose.yaml
    winch pull
}
t_ok "an honest image of the same kit" pull plain
hashes() { find "$store/layers" -mindepth 2 -exec stat -c '%n %f %u %g %s %Y' {} + | grep -F -f layers.before | sort; }
find "$store/layers" -mindepth 1 -maxdepth 1 >layers.before
hashes >hashes.before

while IFS='|' read -r name wanted _; do
    image=${name#* }
    t_run pull "$image"
    if [ "$wanted" = refused ] || { [ "$wanted" = refused-or-inside ] && [ "$T_STATUS" != 0 ]; }; then
        t_is "$name: refused" "$T_STATUS" 1
        t_is "$name: not an image then" "$(winch image ls | grep -c "^[^ ]*$image ")" 0
        continue
    fi
    t_is "$name: taken" "$T_STATUS" 0 || t_note "$T_OUT"
    if ! winch up -d >up.log 2>&1; then
        t_not "$name: starts" "$(cat up.log)"
        continue
    fi
    root=/proc/$(w_pid a)/root
    case $wanted in
    file*) t_true "$name: ${wanted#file } is there" test -f "$root/${wanted#file }" ;;
    esac
    case $image in
    whiteout) t_true "$name: the lower file is gone" test ! -e "$root/base/gone" ;;
    opaque-*) t_is "$name: lower children are gone" "$(ls -A "$root/base")" new ;;
    change-lower) t_is "$name: changed in this image" "$(cat "$root/etc/conf")" changed ;;
    esac
    winch down -t 0 >/dev/null 2>&1
done <../cases
hashes >hashes.after
t_ok "IMG-05 no lower layer was modified" diff hashes.before hashes.after
printf 'name: img\nservices:\n  a: {image: plain}\n' >compose.yaml
t_ok "an image on the same base starts" winch up -d
t_is "IMG-05 and is unaffected" "$(cat "/proc/$(w_pid a)/root/etc/conf")" base
winch down -t 0 >/dev/null 2>&1
t_canary "IMG-01 IMG-02 IMG-04 IMG-06 nothing outside was touched"
kill "$KIT_PID"
wait "$KIT_PID" 2>/dev/null
t_no_leak "nothing is left"
t_done
