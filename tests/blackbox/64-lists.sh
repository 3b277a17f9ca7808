#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# 64-lists.sh - create, scale, images, volumes, export.
# limit: 90
# shellcheck source=tests/lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"
lab_enter "$@"
# shellcheck source=tests/lib/winch.sh
. "$t_lib/winch.sh"
lab_registry
mkdir lists && cd lists || exit 1
cat >compose.yaml <<'YAML'
services:
  web:
    image: busybox:latest
    command: ["probe", "hold"]
    depends_on: [db]
  db:
    image: busybox
    command: ["sh", "-c", "echo x >/written; ln -s written /link; echo y >/data/kept; exec sleep 600"]
    volumes: ["data:/data", "/anonymous"]
volumes: {data: }
YAML
t_ok "create" winch create
states() { winch ps -a --format json | jq -r '.Name + ":" + .State' | sort | xargs; }
t_is "makes all, starts none" "$(states)" "lists-db-1:created lists-web-1:created"
t_ok "scale" winch scale web=3
t_is "starts what is missing" "$(states)" "lists-db-1:running lists-web-1:running lists-web-2:running lists-web-3:running"
t_ok "and down, with others left alone" winch scale --no-deps web=1
t_is "removes what is too much" "$(states)" "lists-db-1:running lists-web-1:running"
t_exit "a word that is no scale" 2 winch scale web
t_exit "an unknown service" 1 winch scale nobody=1
t_is "the plan of a dry run" "$(winch --dry-run scale web=2 | awk '$2 == "create" { print $3 }')" lists-web-2

t_ok "images" winch images
t_like "heads" "$T_OUT" '^CONTAINER +REPOSITORY +TAG +PLATFORM +IMAGE ID +SIZE +CREATED$'
t_like "rows" "$T_OUT" '^lists-db-1 +busybox +latest +linux/[a-z0-9/]+ +[0-9a-f]{12} +[0-9.]+[kM]B .* ago$'
t_is "as one array" "$(winch images --format json web | jq -r '.[] | .ContainerName + " " + .Repository + ":" + .Tag')" "lists-web-1 busybox:latest"
t_is "-q: each id once" "$(winch images -q | wc -l) $(winch images -q | tr -d '0-9a-f\n')" "1 "

t_ok "volumes" winch volumes
t_like "heads" "$T_OUT" '^DRIVER +VOLUME NAME$'
t_like "the named one" "$T_OUT" '^local +lists_data$'
t_is "those of a service" "$(winch volumes -q web | wc -l) $(winch volumes -q db | wc -l)" "0 2"
t_is "as JSON" "$(winch volumes --format json db | jq -r 'select(.Name == "lists_data") | .Driver')" local

t_ok "export" winch export -o all.tar db
t_is "what it wrote" "$(tar xOf all.tar written)" x
t_is "what is in its volume" "$(tar xOf all.tar data/kept)" y
t_is "links" "$(tar tvf all.tar link | sed 's/.* link/link/')" "link -> written"
t_true "its image" tar tf all.tar bin/busybox
t_is "nothing of /proc and /sys" "$(tar tf all.tar | grep -cE '^(proc|sys)/.')" 0
t_exit "nothing to export" 1 winch export -o none.tar nobody
t_exit "and no file for it" 1 test -e none.tar
look() { winch inspect "$1" | jq -r ".[0] | $2"; }
t_ok "inspect" winch inspect db
t_is "state and name" "$(look db '.State.Status + .Name')" running/lists-db-1
t_is "the process" "$(look db .State.Pid)" "$(w_pid db)"
t_is "its words" "$(look db '.Path + " " + .Args[0]')" "sh -c"
t_is "mounts" "$(look db '.Mounts | map(select(.Name == "lists_data")) | .[0] | .Type + .Destination + (.RW | tostring)')" volume/datatrue
t_is "addresses" "$(look web '.NetworkSettings.Networks.lists_default.IPAddress')" "$(w_ip web)"
t_is "labels" "$(look lists-web-1 '.Config.Labels["com.docker.compose.service"]')" web
t_is "by a part of the id" "$(look "$(winch ps -q db | cut -c1-12)" .Name)" /lists-db-1
t_exit "what is not there" 1 winch inspect nobody
winch stop -t 0 db >/dev/null 2>&1
t_is "its end" "$(look db '.State.Status + (.State.ExitCode | tostring)')" exited137
t_is "a stopped one, to standard output" "$(winch export db | tar xOf - written)" x
t_ok "down" winch down -v -t 0
t_done
