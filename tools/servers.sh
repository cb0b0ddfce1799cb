#!/usr/bin/env bash
# servers.sh FOLDER: Alertmanager and syslog-ng out of Debian's packages, unpacked and not installed: no service starts,
# and no system logger is replaced. What the test of alerts end to end talks to; without them it is skipped.
set -eu
packages="prometheus-alertmanager syslog-ng-core libivykis0 libnet1 libjson-c5 libpcre3 libwrap0 libglib2.0-0"
folder=$1
rm -rf "$folder" && mkdir -p "$folder/packages"
if ! command -v apt-get >/dev/null || ! command -v dpkg-deb >/dev/null; then
  echo "No Debian packages here: the test of alerts end to end is skipped"
  exit 0
fi
cd "$folder/packages"
for package in $packages; do # by name, as releases differ in some
  apt-get download -q "$package" >/dev/null 2>&1 || echo "No Debian package $package"
done
for file in *.deb; do
  [ -e "$file" ] && dpkg-deb -x "$file" ..
done
rm -rf ../packages
# Alertmanager looks for its templates where Debian installs them; a path of the same length makes it look below the
# folder that it is started in.
[ ! -e ../usr/bin/prometheus-alertmanager ] ||
  LC_ALL=C sed -i 's#/usr/share/prometheus/alertmanager#usr/share/prometheus/alertmanager/#g' ../usr/bin/prometheus-alertmanager
