#!/usr/bin/env bash
# Make the virtual environment of a checkout: the packages of a lock file, and this project in editable form.
#   scripts/install.sh VENV LOCK        (variables: see install_packages.sh)
# What was installed is remembered by the hash of its inputs: a second run does nothing.
set -euo pipefail
cd "$(dirname "$0")/.."

venv=$1
lock=$2
# requirements-dev.lock includes requirements.lock, and that all of requirements-slim.lock: the larger satisfies the smaller.
wanted=$(cat requirements-slim.lock requirements.lock requirements-dev.lock pyproject.toml | sha256sum | cut -d ' ' -f 1)

satisfying=("$lock" requirements-dev.lock)
[[ $lock != requirements-slim.lock ]] || satisfying+=(requirements.lock)
for one in "${satisfying[@]}"; do
    stamp=$venv/.installed-$(basename "$one")
    if [[ -x $venv/bin/qa && -f $stamp && $(<"$stamp") == "$wanted" ]]; then
        exit 0
    fi
done
echo "install: the packages of $lock into $venv (a few minutes the first time; VERBOSE=1 shows more)" >&2
# A checkout for development is made often, by machines above all, and uses few of the modules it has.
[[ $lock != requirements-dev.lock ]] || export COMPILE=no
scripts/install_packages.sh "$venv" "$lock"
"$venv/bin/python" -m pip install -qq --disable-pip-version-check --no-deps --editable .
echo "$wanted" >"$venv/.installed-$(basename "$lock")"
