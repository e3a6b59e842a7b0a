#!/usr/bin/env bash
# Fill a virtual environment with exactly the packages that a lock file names.
#   scripts/install_packages.sh VENV LOCK
#   PYTHON        interpreter that makes the environment (3.11 or newer)
#   TORCH_INDEX   package index to take torch from, where the default one would give a CUDA build
#   VERBOSE=1     show what pip does
set -euo pipefail

venv=$1
lock=$2
python=${PYTHON:-python3}

if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    echo "install: $python is $("$python" --version 2>&1); Python 3.11 or newer is needed: make install PYTHON=python3.12" >&2
    exit 1
fi
[[ -x $venv/bin/python ]] || "$python" -m venv "$venv"

pip_install() {
    # Two -q: pip reports errors only.
    "$venv/bin/python" -m pip install --disable-pip-version-check --no-input $([[ ${VERBOSE:-} ]] || echo -qq) "$@"
}

# The names and versions that a lock file, and those it includes, pin; without their hashes.
pins_of() {
    sed -n 's/^\([A-Za-z0-9._-]*==[^ ]*\).*/\1/p' "$1"
    local other
    for other in $(sed -n 's/^-r //p' "$1"); do pins_of "$(dirname "$1")/$other"; done
}

mapfile -t pins < <(pins_of "$lock")
torch=$(printf '%s\n' "${pins[@]}" | grep '^torch==' || true)
if [[ ${TORCH_INDEX:-} && $torch ]]; then
    # Alone and without dependencies, so that this index can supply nothing but torch. By no hash: the lock has those of
    # the default index, and of the one wheel that it was written with.
    pip_install --no-deps --index-url "$TORCH_INDEX" "$torch"
fi
# The lock is complete for the CPU: pip takes these files, by their hashes, and no others.
pip_install --no-deps --require-hashes -r "$lock"
# What this machine's builds need besides, as the CUDA build of torch its libraries: nothing with that for the CPU.
pip_install "${pins[@]}"
