#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# test.sh [URL [ROUNDS]] - stores documents through the published port and reads each back; exit 1 at the first surprise.
set -euo pipefail
url=${1:-http://127.0.0.1:${HTTP_PORT:-8080}} rounds=${2:-10}
token=$(cat "$(dirname "$0")/secrets/write_token")
count() { curl -fsS --max-time 10 "$url/documents" | sed 's/[^0-9]//g'; }

before=$(count)
for ((i = 1; i <= rounds; i++)); do
    name=doc-$$-$RANDOM-$i
    curl -fsS --max-time 10 -o /dev/null -H "X-Token: $token" -d "{\"name\": \"$name\", \"round\": $i}" "$url/documents"
    curl -fsS --max-time 10 "$url/documents/$name" | grep -q "\"round\": *$i" || { echo "$name did not come back"; exit 1; }
done
after=$(count)
echo "$rounds documents stored and read back; $before documents before, $after now"
[ "$after" = $((before + rounds)) ]
