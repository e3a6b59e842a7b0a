#!/usr/bin/env bash
# Start the service; an empty store gets the sample articles first.
#   scripts/serve.sh VENV [arguments of `qa serve`]
set -euo pipefail
cd "$(dirname "$0")/.."

qa=$1/bin/qa
# In a statement of its own: a store that cannot be read ends the script here, and is not taken for an empty one.
listing=$("$qa" articles list --json --limit 1)
if [[ $listing != *'"id"'* ]]; then
    echo "serve: the store is empty, adding the sample articles of seeds/articles" >&2
    "$qa" ingest seeds/articles
fi
exec "$qa" serve "${@:2}"
