#!/usr/bin/env bash
# Install the foreign clients that tests ask the service with, as their lock files say; nothing when up to date.
set -euo pipefail
folder="$(dirname "$0")/../tests/clients/ai_sdk"
if ! command -v npm >/dev/null; then
    echo "npm is not installed: the service is not tested with the Vercel AI SDK" >&2
    exit 0
fi
cd "$folder"
cmp -s package-lock.json node_modules/.installed && exit 0
if npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >&2; then
    cp package-lock.json node_modules/.installed
else
    echo "install_clients: the npm packages cannot be had; the tests with the Vercel AI SDK do not run" >&2
    [[ -z ${CI:-} ]]
fi
