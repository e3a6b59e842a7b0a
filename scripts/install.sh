#!/usr/bin/env bash
# Fill the virtual environment with exactly what a lock file names, and with this project in editable form.
#   scripts/install.sh VENV LOCK
# The finished state is remembered by the hash of the lock and of pyproject.toml: a second run does nothing.
#   PYTHON        interpreter that makes the environment (3.11 or newer)
#   TORCH_INDEX   package index to take torch from, where the default one would give a CUDA build
#   VERBOSE=1     show what pip does
set -euo pipefail
cd "$(dirname "$0")/.."

venv=$1
lock=$2
python=${PYTHON:-python3}
stamp=$venv/.installed-$(basename "$lock")
wanted=$(cat "$lock" requirements.lock pyproject.toml | sha256sum | cut -d ' ' -f 1)

if [[ -x $venv/bin/qa && -f $stamp && $(<"$stamp") == "$wanted" ]]; then
    exit 0
fi

if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    echo "install: $python is $("$python" --version 2>&1); Python 3.11 or newer is needed (make install PYTHON=python3.12)" >&2
    exit 1
fi
[[ -x $venv/bin/python ]] || "$python" -m venv "$venv"

pip() {
    # Two -q: pip reports errors only.
    "$venv/bin/python" -m pip "$1" --disable-pip-version-check --no-input ${VERBOSE:--qq} "${@:2}"
}
[[ ${VERBOSE:-} ]] && VERBOSE=-v

echo "install: $(grep -c == "$lock") packages of $lock into $venv (a few minutes the first time)" >&2
if [[ ${TORCH_INDEX:-} ]]; then
    # Alone and without dependencies, so that this index can supply nothing but torch.
    pip install --no-deps --index-url "$TORCH_INDEX" "$(grep '^torch==' requirements.lock)"
fi
pip install -r "$lock"
pip install --no-deps --editable .
echo "$wanted" >"$stamp"
