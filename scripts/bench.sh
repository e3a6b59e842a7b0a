#!/usr/bin/env bash
# Run the benchmarks of tests/benchmarks; each prints JSON, kept in reports/bench/NAME.json.
#   scripts/bench.sh VENV [NAME…]        without names, all of them but `million` and `stores`, which take an hour, and `peers`,
#                                     which `table` runs
# `table` makes environments for its peers first, and writes docs/performance.md; AGAINST=CHECKOUT compares answers, too,
# PEERS="txtai" measures that one alone, PEERS= none. What cannot be installed is named there.
# Those on real data read ../shared and are named as not run where it is absent.
set -euo pipefail
cd "$(dirname "$0")/.."

bin=$1/bin
shift
shared=../shared/data
reports=reports/bench
mkdir -p "$reports"
if [[ $# -eq 0 ]]; then
    mapfile -t names < <(cd tests/benchmarks && ls bench_*.py | sed -E 's/^bench_(.*)\.py$/\1/' | grep -vE '^(million|peers|stores)$')
    set -- "${names[@]}"
fi

measure() {
    echo "bench: $1" >&2
    "$bin/python" "tests/benchmarks/bench_$1.py" "${@:2}" | tee "$reports/$1.json"
}

with_shared() {
    if [[ -d $shared ]]; then "$@"; else echo "bench: NOT RUN: $2 reads $shared, which is not here" >&2; fi
}

realtimeqa() {
    # Ingested once, kept for the next run.
    QA_DATA_DIR=reports/realtimeqa "$bin/qa" ingest "$shared/realtimeqa/articles-small.jsonl.gz" >&2
    measure retrieval reports/realtimeqa "$shared/realtimeqa/questions.jsonl"
}

for name in "$@"; do
    case $name in
        parity) with_shared measure parity "$shared/squad/v1.1-dev-visible.json" ;;
        ingest) with_shared measure ingest "$shared/realtimeqa/articles-small.jsonl.gz" ;;
        retrieval) with_shared realtimeqa retrieval ;;
        newsroom | held_out) with_shared measure "$name" --data "$shared" ;;
        peers) with_shared measure peers "$shared/realtimeqa/articles-small.jsonl.gz" ;;
        table) with_shared measure table "$shared/realtimeqa/articles-small.jsonl.gz" --write docs/performance.md \
            ${AGAINST:+--against "$AGAINST"} ${PEERS+--peers $PEERS} ;;
        million) with_shared measure million --size "${SIZE:-1000000}" ;;
        stores) with_shared measure stores ;;
        pages | documents) echo "bench: NOT RUN: $name reads files that its command line names" >&2 ;;
        *) measure "$name" ;;
    esac
done
