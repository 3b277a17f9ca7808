#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# 41-interrupt-long.sh - 34-interrupt.sh at every 20 ms.
# limit: 1200
# long: hundreds of interrupted commands
STEP_MS=20 LAST_MS=400 exec bash "$(dirname "$0")/34-interrupt.sh" "$@"
