#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# 36-restarts-long.sh - as 35-restarts.sh, the catalogue's 10,000 restarts.
# limit: 1800
# long: LEK-01 with 10,000 restarts takes minutes
RESTARTS=10000 exec bash "$(dirname "$0")/35-restarts.sh"
