#!/usr/bin/env bash
# From a bare machine to results that can be looked at: `make demo`.
set -euo pipefail
. "$(dirname "$0")/places.sh"
cd "$repo"

program=target/release/facereel
demo=data/demo

scripts/install-system.sh
say "building (the first time takes some minutes)"
cargo build --release -p facereel
scripts/fetch-models.sh
scripts/fetch-media.sh

if [ ! "$demo/clip/clip.mp4" -nt "$program" ]; then
    say "composing a clip of a minute with known faces"
    "$program" bench synth --preset demo --media "$media" --out "$demo/clip"
fi

say "running the pipeline on the composed clip"
"$program" run "$demo/clip/clip.mp4" --out "$demo/composed"
say "running the pipeline on a real video: a man on the phone in a car"
"$program" run "$media/carphone_pristine.mp4" --out "$demo/real"

cat <<END

The demo is done. Look at:
  $demo/clip/clip.mp4                                the composed clip; what is true about it lies beside it
  $demo/composed/episodes/*/manifests/tracks.jsonl   who was seen from when to when
  $demo/composed/episodes/*/frames/crops/            the best faces of every track
  $demo/real/episodes/*/                             the same for the real video
Check any result with: $program verify $demo/composed
END
