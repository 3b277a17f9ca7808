#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Same habits as the official image's: options alone mean mongod, and mongod listens on every address.
set -e
case $1 in
-*) set -- mongod "$@" ;;
esac
if [ "$1" = mongod ]; then
    case " $* " in
    *" --bind_ip"*) ;;
    *) set -- "$@" --bind_ip_all ;;
    esac
fi
exec "$@"
