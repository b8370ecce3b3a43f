#!/bin/sh
# System packages that tests use. Where they cannot be had, those tests skip and say why (CI turns a skip into a failure).
missing=""
for pair in bwrap:bubblewrap git:git; do
  command -v "${pair%%:*}" >/dev/null 2>&1 || missing="$missing ${pair##*:}"
done
[ -z "$missing" ] && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null && exit 0
fi
echo "not installed:$missing; tests that need them are skipped (on Debian or Ubuntu: sudo apt-get install$missing)" >&2
