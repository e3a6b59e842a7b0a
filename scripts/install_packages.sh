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

if [[ ${TORCH_INDEX:-} && $(basename "$lock") != requirements-@(slim|postgres).lock ]]; then
    # Alone and without dependencies, so that this index can supply nothing but torch.
    pip_install --no-deps --index-url "$TORCH_INDEX" "$(grep '^torch==' "$(dirname "$lock")/requirements.lock")"
fi
pip_install -r "$lock"
