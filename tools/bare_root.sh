#!/usr/bin/env bash
# bare_root.sh WHEEL [FOLDER]: makes a Debian 12 with Python and nothing else below FOLDER (by debootstrap, as root), and runs
# `vpcflow summary` of the sample from the wheel there, without a network. The wheel is the one for Debian 12's Python, 3.11.
set -euo pipefail
wheel=$(realpath "$1") root=${2:-build/bare-root}
cd "$(dirname "$0")/.."
mkdir -p "$(dirname "$root")"
[ -x "$root/usr/bin/python3" ] || debootstrap --variant=minbase --include=python3,python3-venv bookworm "$root" >"$root.log" 2>&1
if [ -n "$(find "$root/usr/lib" -name 'libabsl*' -o -name 'libre2*' -o -name 'libsimdjson*' -o -name 'libisal*')" ]; then
  echo "$root has libraries that the wheel must bring" && exit 1
fi
rm -rf "$root/opt/vpcflow" && mkdir -p "$root/opt/vpcflow"
cp "$wheel" examples/data/sample.log.gz "$root/opt/vpcflow/"
within() { unshare --net chroot "$root" /usr/bin/env -i PATH=/usr/bin:/bin "$@"; }
within python3 -m venv /opt/vpcflow/venv
within /opt/vpcflow/venv/bin/pip install -q --no-index "/opt/vpcflow/$(basename "$wheel")"
within /opt/vpcflow/venv/bin/vpcflow --version
within /opt/vpcflow/venv/bin/vpcflow summary /opt/vpcflow/sample.log.gz
