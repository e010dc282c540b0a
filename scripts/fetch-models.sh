#!/usr/bin/env bash
# Builds the program (in the profile `release`, or the one that is named) and lets it fetch the models and ONNX Runtime.
# Does nothing when they are there and intact.
set -euo pipefail
. "$(dirname "$0")/places.sh"
cd "$repo"

profile=${1:-release}
folder=$profile
what=(-p facereel)
if [ "$profile" = dev ]; then
    folder=debug
    # All at once, as the test runner builds it: every other selection would build the dependencies once more, with other
    # features.
    what=(--workspace --all-targets)
fi

scripts/install-system.sh
scripts/make-venv.sh
cargo build --profile "$profile" --quiet "${what[@]}"
# The program calls pip; the environment's comes first, because Debian's refuses to work outside of one.
PATH=$venv/bin:$PATH "target/$folder/facereel" models fetch
