#!/usr/bin/env bash
# Builds the program and lets it fetch the models and ONNX Runtime. Does nothing when they are there and intact.
set -euo pipefail
. "$(dirname "$0")/places.sh"
cd "$repo"

scripts/install-system.sh
scripts/make-venv.sh
cargo build --release --quiet -p facereel
# The program calls pip; the environment's comes first, because Debian's refuses to work outside of one.
PATH=$venv/bin:$PATH target/release/facereel models fetch
