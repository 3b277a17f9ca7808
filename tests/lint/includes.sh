#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# includes.sh - checks that includes follow the layers (docs/architecture.md, "Layers"). The two tables are the rules;
# the longest folder that fits a file counts. Prints "file:line: reason" and exits 1 when a line breaks one.
set -eu
cd "$(dirname "$0")/../.."

# folder: what its files may include besides their own folder (prefixes)
layers() {
    cat <<'EOF'
base:
parser:             base/
netd:               base/
volumes:            base/
engine:             base/ engine/
engine/container:   base/ engine/engine.h engine/runtime/spec.h
engine/log:         base/ engine/engine.h
engine/registry:    base/ engine/engine.h
engine/image:       base/ engine/engine.h engine/registry/
engine/runtime:     base/ engine/engine.h engine/container/ engine/monitor/protocol.h
engine/monitor:     base/ engine/engine.h engine/container/ engine/log/ engine/runtime/
engine/init:        base/
engine/build:       base/ engine/engine.h engine/container/ engine/image/ engine/registry/ engine/runtime/
orchestrator:       base/ parser/ engine/engine.h engine/runtime/spec.h engine/monitor/protocol.h engine/container/ engine/log/ netd/netd_client.h netd/network.h volumes/
cli:                base/ parser/ engine/ netd/ volumes/ orchestrator/
EOF
}

# header (prefix): the only files (prefixes) that may include it
libraries() {
    cat <<'EOF'
jansson.h:         base/json.c
event2/:           base/loop.c
event.h:           base/loop.c
sha2.h:            base/hash.c
yaml.h:            parser/yaml_read.c parser/yaml_write.c
archive.h:         engine/image/ engine/build/
archive_entry.h:   engine/image/ engine/build/
curl/:             engine/registry/
openssl/:          engine/image/ engine/registry/
zlib.h:            engine/image/ engine/log/pack_main.c
zstd.h:            engine/image/
seccomp.h:         engine/runtime/
sys/capability.h:  engine/runtime/ engine/monitor/ engine/init/
nftables/:         netd/
netlink/:          netd/
EOF
}

# built for the resident static monitor: these parts of base need more than libc
heavy='base/(json|ipc|loop|hash|layout)\.h'

files=$(find base parser engine netd volumes orchestrator cli -name '*.[ch]' | sort)
[ -n "$files" ] || exit 0

# shellcheck disable=SC2086 # names without blanks
awk -v layers="$(layers)" -v libraries="$(libraries)" -v heavy="$heavy" '
function fail(reason) { printf "%s:%d: %s\n", FILENAME, FNR, reason; bad = 1 }
function starts(text, prefix) { return substr(text, 1, length(prefix)) == prefix }
function allowed(list, name,    parts, n, i) {
    n = split(list, parts, " ")
    for (i = 1; i <= n; i++)
        if (starts(name, parts[i]))
            return 1
    return 0
}
function folder_of(file,    d) {
    for (d = file; sub(/\/[^\/]*$/, "", d); )
        if (d in may)
            return d
    return ""
}
BEGIN {
    rows = split(layers, line, "\n")
    for (i = 1; i <= rows; i++) {
        at = index(line[i], ":")
        may[substr(line[i], 1, at - 1)] = substr(line[i], at + 1)
    }
    rows = split(libraries, line, "\n")
    for (i = 1; i <= rows; i++) {
        at = index(line[i], ":")
        list = substr(line[i], at + 1)
        sub(/^ +/, "", list)
        only[substr(line[i], 1, at - 1)] = list
    }
}
/^[ \t]*#[ \t]*include[ \t]*"/ {
    split($0, part, "\"")
    name = part[2]
    own = folder_of(FILENAME)
    if (name !~ /\//)
        fail("\"" name "\": include with the folder")
    else if (name ~ /\.\./)
        fail("\"" name "\": no relative includes")
    else if (!starts(name, own "/") && !allowed(may[own], name))
        fail("\"" name "\": " own "/ may not include it")
    else if (FILENAME ~ /^engine\/(monitor|init)\// && name ~ "^" heavy)
        fail("\"" name "\": the monitor and init are libc only")
}
/^[ \t]*#[ \t]*include[ \t]*</ {
    name = $0
    sub(/^[^<]*</, "", name)
    sub(/>.*/, "", name)
    for (header in only)
        if (starts(name, header) && !allowed(only[header], FILENAME))
            fail("<" name ">: only in " only[header])
}
END { exit bad }
' $files
