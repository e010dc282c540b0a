#!/usr/bin/env bash
# Makes the Python environment in the cache, through which packages are fetched: the system's Python stays untouched.
set -euo pipefail
. "$(dirname "$0")/places.sh"

"$venv/bin/pip" --version >/dev/null 2>&1 && exit 0
say "making a Python environment in $venv"
mkdir -p "$cache"
rm -rf "$venv"
python3 -m venv "$venv"
