#!/usr/bin/env bash
# Measures the pipeline and renews docs/benchmarks.md: `make bench` (a minute of 720p), or `make bench ARGS=ten-minutes` or
# `ARGS=episode` (40 minutes) for 1080p.
# `ARGS=services` measures the services on a broker and an S3 server of its own, on this machine; `ARGS=rehearsal` a backfill
# under the autoscaling of deploy/kubernetes, `ARGS=sizing` what each stage takes: both for docs/scaling.md.
# `ARGS=ablation` measures each knob of the optimisation plan on clips with ground truth; `ARGS=before-after` all at once on 40
# minutes; `ARGS=trackers` compares tracks with those of textbook ByteTrack.
# COMPARE='other command {}' measures another program on the same clips in the same run.
set -euo pipefail
. "$(dirname "$0")/places.sh"
cd "$repo"

what=${1:-demo}
task=$what
case $task in
ablation | trackers) what=hard ;;
before-after) what=episode ;;
services | rehearsal) what=demo ;;
sizing) what=ten-minutes ;;
esac
program=target/release/facereel

scripts/install-system.sh
cargo build --quiet --release -p facereel
scripts/fetch-models.sh
scripts/fetch-media.sh

# Composes the clip of this name, with its ground truth in `parts`, where that was not done before.
compose() {
    local folder=data/bench/$1
    local clip=$folder/$1.mp4
    local synth=("$program" bench synth --media "$media" --out "$folder/parts")
    [ ! -f "$clip" ] || return 0
    say "composing $clip"
    mkdir -p "$folder"
    case $1 in
    demo | hard) "${synth[@]}" --preset "$1" ;;
    dark) "${synth[@]}" --preset hard --light 0.08 ;;
    ten-minutes | episode)
        # Two minutes are composed and played 5 or 20 times: up to 57,600 frames of 1080p at 4 Mb/s.
        "${synth[@]}" --preset long --seconds 120
        local times=5
        [ "$1" = episode ] && times=20
        for _ in $(seq "$times"); do echo "file 'parts/clip.mp4'"; done >"$folder/list.txt"
        ffmpeg -v error -y -f concat -i "$folder/list.txt" -c copy "$clip"
        return
        ;;
    *)
        say "there is no clip '$1': use demo, hard, dark, ten-minutes, episode, services, rehearsal, sizing, ablation, before-after or trackers"
        exit 2
        ;;
    esac
    cp "$folder/parts/clip.mp4" "$clip"
}
compose "$what"
clip=data/bench/$what/$what.mp4

case $task in
services | rehearsal | sizing)
    scripts/install-system.sh test
    scripts/install-s3-server.sh
    cargo build --quiet --release -p detector-svc -p tracker-svc -p embedder-svc -p exporter-svc
    cargo build --quiet --release -p facereel-host --example sleeper-svc -p facereel-tests --example services_bench
    export PATH=$PATH:$venv/bin
    bench=target/release/examples/services_bench
    [ "$task" = services ] && exec "$bench" docs/benchmarks.md "$clip" "${@:2}"
    # Both read deploy/kubernetes as kubectl renders it.
    scripts/install-deploy-checks.sh
    [ "$task" = rehearsal ] && exec "$bench" docs/scaling.md rehearsal
    # 720p too, where `make bench` has composed it.
    clips=(data/bench/demo/demo.mp4 "$clip")
    [ -f "${clips[0]}" ] || unset 'clips[0]'
    exec "$bench" docs/scaling.md "${clips[@]}" sizing
    ;;
ablation)
    ablation() { "$program" bench ablation --markdown docs/benchmarks.md "$@"; }
    ablation --profiles data/bench/hard/parts
    # What the hard clip can't show: hidden faces that come back where they were, stills, darkness.
    compose demo
    ablation --only A2,B4 data/bench/demo/parts
    compose dark
    ablation --only E2 data/bench/dark/parts
    exit
    ;;
before-after)
    exec "$program" bench before-after --markdown docs/benchmarks.md "$clip"
    ;;
trackers)
    compose demo
    exec "$program" bench trackers --markdown docs/benchmarks.md data/bench/{hard,demo}/parts
    ;;
esac

measure() {
    "$program" bench pipeline --markdown docs/benchmarks.md --repeat "${REPEAT:-1}" \
        ${COMPARE:+--compare "$COMPARE"} "$clip" "$@"
}
measure
if [ "$what" = demo ]; then
    measure --no-embed
    measure --best 6
    COMPARE='' measure --workers 1
    "$program" bench track
fi
