#!/bin/sh
# Runs the flights example and shows what it found: demo.sh PATH/TO/weir
set -eu
weir=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
cd "$(dirname "$0")"
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
flights=flights-2013-01-02.jsonl.zst

say() { printf '\n\033[1m%s\033[0m\n' "$1"; }
[ -t 1 ] || say() { printf '\n%s\n' "$1"; }

say "weir replay examples/flights/flights.weir --in flights=$flights   (51,955 flights, two months)"
"$weir" replay flights.weir --in flights=$flights --out travelling_delays="$out/delays.jsonl" \
    --out storms="$out/storms.jsonl" --out departures="$out/departures.csv" --out too_late="$out/too_late.jsonl"

say "Planes whose delay travelled on to their next flights: $(wc -l < "$out/delays.jsonl") of them, the first three"
head -n 3 "$out/delays.jsonl"
say "Airports struck by a storm: $(wc -l < "$out/storms.jsonl") times, the worst four"
sort -t: -k2 "$out/storms.jsonl" | awk -F'"flights":' '{ split($2, n, "}"); print n[1] "\t" $0 }' | sort -rn | head -n 4 | cut -f2
say "The departures of each hour, $(($(wc -l < "$out/departures.csv") - 1)) rows of CSV; the morning before the storm of 8 February"
head -n 1 "$out/departures.csv"
grep '2013-02-08T1[1-4]' "$out/departures.csv" || true
say "$(wc -l < "$out/too_late.jsonl") flights landed after their hour had closed; the first"
head -n 1 "$out/too_late.jsonl"

say "A slip of the pen: 'dealy' for 'delay'"
sed 's/again AS delay >= 60/again AS dealy >= 60/' flights.weir > "$out/slip.weir"
(cd "$out" && "$weir" check slip.weir) || true

say "Your own file: weir query \"SELECT …\" FILE; here the longest delays of the recording"
"$weir" query "SELECT tail, origin, dest, delay FROM flights WHERE delay > 900" flights=$flights -o table
