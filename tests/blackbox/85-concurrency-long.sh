#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# 85-concurrency-long.sh - as 84-concurrency.sh, the catalogue's 50 rounds and 200 pairs.
# limit: 900
# long: CON-01 and CON-02 in full take minutes
ROUNDS=50 PAIRS=200 SEED=${SEED:-$RANDOM} exec bash "$(dirname "$0")/84-concurrency.sh"
