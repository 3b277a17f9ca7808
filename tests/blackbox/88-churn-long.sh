#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# 88-churn-long.sh - as 87-churn.sh, the catalogue's 1,000 rounds and 3,000 failing starts.
# limit: 3000
# long: LEK-02 and LEK-03 in full take the better part of an hour
ROUNDS=1000 FAILS=3000 exec bash "$(dirname "$0")/87-churn.sh"
