#!/usr/bin/env bash
# Draw the pictures of the evaluation report that docs/evaluation.md shows: the sample questions, asked, scored and reported.
#   scripts/report_screenshot.sh VENV FOLDER      (needs Chromium; see scripts/install_browser.sh)
set -euo pipefail
cd "$(dirname "$0")/.."

qa=$(realpath -s "$1")/bin/qa
folder=$2
scripts/install_browser.sh
for name in "${CHROMIUM:-}" chromium chromium-browser google-chrome google-chrome-stable; do
    if [[ -n $name ]] && browser=$(command -v "$name"); then break; fi
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export QA_DATA_DIR=$work/data
"$qa" ingest seeds/articles >&2
"$qa" evaluate run seeds/questions.jsonl --out "$work/run" >&2
"$qa" evaluate score "$work/run" >&2
"$qa" evaluate report "$work/run" --format html --out "$work/report.html" >&2
# For the second picture the first question is unfolded and what stands before it left out.
sed -e '0,/<details>/s//<details open>/' -e 's/<\/style>/header, main > section:not(:has(.outcome)) { display: none }<\/style>/' \
    "$work/report.html" >"$work/question.html"

mkdir -p "$folder"
draw() { # name, size
    "${browser:?no Chromium found}" --headless --no-sandbox --disable-gpu --hide-scrollbars --window-size="$2" \
        --user-data-dir="$work/profile" --screenshot="$work/$1.png" "file://$work/$1.html" >/dev/null 2>&1
    mv "$work/$1.png" "$folder/evaluation-$1.png"
    echo "$folder/evaluation-$1.png: $(stat -c %s "$folder/evaluation-$1.png") bytes"
}
draw report 1100,1180
draw question 1100,860
