#!/usr/bin/env bash
# The main job on the bundled sample logs: what is going on in this VPC?  (make demo)
set -euo pipefail
cd "$(dirname "$0")/.."
log=examples/data/sample.log.gz
bold='' plain=''
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then bold=$(printf '\033[1m') plain=$(printf '\033[0m'); fi
say() { printf '\n%s%s%s\n' "$bold" "\$ $*" "$plain"; }

say "vpcflow summary $log"
vpcflow summary "$log"

say "vpcflow detect $log"
vpcflow detect "$log" || [ $? = 1 ]  # 1: there are findings

say "vpcflow top $log --where \"action = 'REJECT'\" --by srcaddr --agg ports=n_unique:dstport --agg records=count -n 5"
vpcflow top "$log" --where "action = 'REJECT'" --by srcaddr --agg ports=n_unique:dstport --agg records=count -n 5

say "vpcflow top $log --where \"flow_direction = 'egress' and not dstaddr in '10.0.0.0/8'\" --by srcaddr,dstaddr --agg sum:bytes --human -n 5"
vpcflow top "$log" --where "flow_direction = 'egress' and not dstaddr in '10.0.0.0/8'" --by srcaddr,dstaddr --agg sum:bytes --human -n 5

say "vpcflow convert $log -o out/rejected.csv --where \"action = 'REJECT'\""
mkdir -p out
vpcflow convert "$log" -o out/rejected.csv --where "action = 'REJECT'"

say "vpcflow report $log -o out/report.html"
vpcflow report "$log" -o out/report.html

printf '\nThe page for people: %s\n' "$PWD/out/report.html"
printf '\nThe same from Python:  examples/python/   in a notebook:  examples/notebooks/   from C++:  examples/cpp/\n'
