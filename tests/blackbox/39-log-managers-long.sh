#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# 39-log-managers-long.sh - as 38-log-managers.sh, the catalogue's million lines and twenty kills of each.
# limit: 900
# long: LOG-02 with 10^6 lines on both streams
# a busy machine needs minutes for so many short sleeps of the writer
LINES_COUNT=1000000 KILLS=20 PAUSE_US=20 END_WAIT=700 exec bash "$(dirname "$0")/38-log-managers.sh"
