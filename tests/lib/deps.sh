#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# deps.sh [build|check|all] - installs the Debian packages that are missing; without root it prints the command and fails.
set -euo pipefail
build=(gcc make pkg-config libc6-dev libyaml-dev libseccomp-dev libcap-dev libarchive-dev zlib1g-dev libzstd-dev
    libcurl4-openssl-dev libssl-dev libnl-3-dev libnl-route-3-dev libnftables-dev libjansson-dev libevent-dev libmd-dev)
run=(iproute2 nftables ca-certificates)
demo=(docker-registry busybox-static curl python3 jq)
check=(clang-14 libclang-rt-14-dev libcriterion-dev shellcheck cppcheck strace socat procps xz-utils zstd attr acl
    e2fsprogs util-linux dnsutils git)
case ${1:-all} in
build) want=("${build[@]}") ;;
demo) want=("${build[@]}" "${run[@]}" "${demo[@]}") ;;
*) want=("${build[@]}" "${run[@]}" "${demo[@]}" "${check[@]}") ;;
esac
installed=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "${want[@]}" 2>/dev/null | sed -n 's/^installed //p' || true)
miss=()
for p in "${want[@]}"; do
    grep -qxF "$p" <<<"$installed" || miss+=("$p")
done
[ ${#miss[@]} -gt 0 ] || exit 0
if [ "$(id -u)" != 0 ]; then
    echo "winch: missing Debian packages; run as root: apt-get install --no-install-recommends ${miss[*]}" >&2
    exit 1
fi
echo "winch: installing ${miss[*]}" >&2
export DEBIAN_FRONTEND=noninteractive
apt-get -q update >&2 || echo "winch: apt-get update failed, trying with the lists at hand" >&2
# daemons that the packages bring (docker-registry) must not be started by their installation
policy=/usr/sbin/policy-rc.d made=
if [ ! -e $policy ]; then
    printf '#!/bin/sh\nexit 101\n' >$policy
    chmod 755 $policy
    made=1
fi
rc=0
apt-get -q install -y --no-install-recommends "${miss[@]}" >&2 || rc=$?
[ -z "$made" ] || rm -f $policy
exit $rc
