#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# 49-log-flood-long.sh - as 49-log-flood.sh, for the minute of the catalogue.
# limit: 300
# long: LOG-07 for 60 seconds
FLOOD_SECONDS=60 exec bash "$(dirname "$0")/49-log-flood.sh"
