#!/usr/bin/env bash
# Build the chat widget from qa/widget/src.
#   scripts/build_widget.sh [FOLDER [PACKAGE]]      (default: qa/widget/dist, which is committed, and qa/widget/npm, which is not)
# Needs Node 20.19 or newer with npm; fetches the packages of qa/widget/package-lock.json the first time.
# Exit status 3: the tools are not here and cannot be fetched.
set -euo pipefail
cd "$(dirname "$0")/../qa/widget"

out=${1:-dist}
package=${2:-}
if [[ $# == 0 ]]; then package=npm; fi
if ! command -v npm >/dev/null; then
    echo "build_widget: npm is not installed; install Node.js 20.19 or newer" >&2
    exit 3
fi
wanted=$(sha256sum package-lock.json | cut -d ' ' -f 1)
if [[ ! -f node_modules/.installed || $(<node_modules/.installed) != "$wanted" ]]; then
    if ! npm ci --no-audit --no-fund --ignore-scripts --loglevel=error >&2; then
        echo "build_widget: npm could not fetch the packages of qa/widget/package-lock.json; is the registry reachable?" >&2
        exit 3
    fi
    echo "$wanted" >node_modules/.installed
fi
npx --no-install tsc --noEmit
npx --no-install vite build --logLevel warn --outDir "$out"
if [[ -n $package ]]; then ../../scripts/build_module.sh "$package"; fi
