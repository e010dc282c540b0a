//! How detections become tracks.

use crate::kind::Kind;
use crate::knob::{Knob, Legacy};

pub(super) const KNOBS: &[Knob] = &[
    Knob::new(
        "track.high_thresh",
        Kind::Number(0.0, 1.0),
        "",
        "Detections from this confidence take part in the first association. Lower follows doubtful faces, \
         and false ones.",
    )
    .legacy(&[
        Legacy::same("BYTE_TRACK_HIGH_THRESH"),
        Legacy::same("TRACK_HIGH_THRESH"),
        Legacy::same("--track-high-thresh"),
    ]),
    Knob::new(
        "track.low_thresh",
        Kind::Number(0.0, 1.0),
        "",
        "Detections from here to `track.high_thresh` may only continue a track, in a second association: this \
         carries tracks through blur and turned heads.",
    )
    .legacy(&[Legacy::same("BYTE_TRACK_LOW_THRESH"), Legacy::same("TRACK_LOW_THRESH")]),
    Knob::new(
        "track.new_thresh",
        Kind::Number(0.0, 1.0),
        "",
        "A detection that belongs to no track starts one from this confidence. Higher means fewer ghost \
         tracks, and people found later.",
    )
    .legacy(&[
        Legacy::same("BYTE_TRACK_NEW_TRACK_THRESH"),
        Legacy::same("NEW_TRACK_THRESH"),
        Legacy::same("TRACK_NEW_THRESH"),
        Legacy::same("--new-track-thresh"),
    ]),
    Knob::new(
        "track.min_iou",
        Kind::Number(0.0, 1.0),
        "IoU",
        "Least overlap of a track's prediction and a detection in the first association. Lower follows faster \
         faces, and risks swapping neighbours.",
    )
    .legacy(&[
        Legacy::distance("BYTE_TRACK_MATCH_THRESH"),
        Legacy::distance("TRACK_MATCH_THRESH"),
        Legacy::distance("--match-thresh"),
    ]),
    Knob::new(
        "track.second_min_iou",
        Kind::Number(0.0, 1.0),
        "IoU",
        "Least overlap in the second association, with unsure detections. Keep it stricter than \
         `track.min_iou`.",
    ),
    Knob::new(
        "track.buffer_sec",
        Kind::Number(0.0, 60.0),
        "s",
        "How long a lost track is remembered and can be found again. Longer joins more fragments, and more \
         strangers who come to stand in the same place.",
    )
    .legacy(&[Legacy::frames("BYTE_TRACK_BUFFER"), Legacy::frames("TRACK_BUFFER"), Legacy::frames("--track-buffer")]),
    Knob::new(
        "track.max_gap_sec",
        Kind::Number(0.0, 60.0),
        "s",
        "A track not seen for longer ends; what comes later is a new track, unless its face says otherwise \
         (`track.relink_gap_sec`). Longer gives fewer, longer tracks with holes.",
    )
    .legacy(&[
        Legacy::same("TRACK_MAX_GAP_SEC"),
        Legacy::frames("--max-gap"),
        Legacy::same("--max-gap-sec"),
    ]),
    Knob::new(
        "track.relink_gap_sec",
        Kind::Number(0.0, 600.0),
        "s",
        "Tracks of one shot that follow each other within this time are joined where their faces are one person's \
         (`gate.rejoin`) and the way is not too far. Longer joins who comes back later; 0 joins nothing. Needs \
         `gate.enabled` and vectors.",
    ),
    Knob::new(
        "track.min_observations",
        Kind::Integer(1, 10_000),
        "observations",
        "Tracks with fewer are left out of tracks, faces and crops; their detections stay listed, with the \
         reason. Lower keeps glimpses and false alarms.",
    )
    .fast("2")
    .legacy(&[Legacy::same("--min-track-length")]),
    Knob::new(
        "track.min_mean_confidence",
        Kind::Number(0.0, 1.0),
        "",
        "Tracks whose faces have a lower mean confidence are left out of tracks, faces and crops; their detections \
         stay listed, with the reason. Higher drops false alarms that last, and faces that are only half there.",
    )
    .fast("0.65")
    .high("0.65"),
    Knob::new(
        "track.sample_limit",
        Kind::Integer(0, 100_000),
        "faces",
        "Most faces sampled from a track for embedding: the best, spread over its life. 0 takes all. \
         Embedding is the dearest work per face.",
    )
    .fast("4")
    .high("12")
    .legacy(&[Legacy::same("TRACK_SAMPLE_LIMIT"), Legacy::same("--track-sample-limit")]),
    Knob::new(
        "track.process_skip",
        Kind::Integer(1, 1000),
        "observations",
        "In each analysed frame the faces of one track in this many can be chosen as samples and for the gate; \
         every track gets its turn, and its first three observations always can. Higher saves little and loses \
         good samples.",
    )
    .legacy(&[Legacy::same("TRACK_PROCESS_SKIP")]),
    Knob::new(
        "track.max_jump",
        Kind::Number(0.0, 10.0),
        "face widths",
        "How far a face may move between two analysed frames where the boxes no longer overlap. Higher suits \
         larger strides, and risks joining neighbours.",
    ),
];
