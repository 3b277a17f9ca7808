#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# 10-limits.sh - memory, process and processor limits on pure cgroup v2 under systemd.
# limit: 300
# shellcheck source=tests/lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"
lab_enter "$@"
for part in winch leakcheck limits; do
    # shellcheck disable=SC1090
    . "$t_lib/$part.sh"
done
lab_registry
leak_before
limits_check
t_no_leak "LEK-01 nothing is left"
t_done
