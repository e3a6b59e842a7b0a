#!/usr/bin/env bash
# Install a built wheel into a virtual environment that has the locked packages, and prove that the result can work
# without a network: the weights are the pinned ones and the encoder answers.
#   scripts/install_image.sh VENV WHEEL
# The container image is made by this script; the tests run it as well.
set -euo pipefail

venv=$1
wheel=$2
scripts=$(cd "$(dirname "$0")" && pwd)

"${PIP_PYTHON:-$venv/bin/python}" -m pip --python "$venv/bin/python" install -qq --no-deps --no-cache-dir "$wheel"
# From another folder, so that it is the installed package that answers, not the checkout.
cd /
"$venv/bin/python" "$scripts/verify_model.py"
"$venv/bin/qa" --help >/dev/null
