#!/usr/bin/env bash
# Composes a clip and measures the pipeline on it: `make bench`, or `make bench ARGS=long` for a whole episode.
set -euo pipefail
. "$(dirname "$0")/places.sh"
cd "$repo"

preset=${1:-demo}
clip=data/bench/$preset/clip.mp4
scripts/fetch-models.sh
scripts/fetch-media.sh
if [ ! -f "$clip" ]; then
    say "composing the clip '$preset'"
    target/release/facereel bench synth --preset "$preset" --out "data/bench/$preset"
fi
target/release/facereel bench pipeline "$clip"
