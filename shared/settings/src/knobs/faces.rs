//! Which faces are kept, cropped and embedded, and where a track is split.

use crate::kind::Kind;
use crate::knob::{Knob, Legacy};

pub(super) const KNOBS: &[Knob] = &[
    Knob::new(
        "quality.min_score",
        Kind::Number(0.0, 1.0),
        "",
        "Least overall quality of a face that is embedded. Higher gives cleaner vectors and leaves more \
         tracks without one.",
    ),
    Knob::new(
        "quality.min_sharpness",
        Kind::Number(0.0, 1.0),
        "",
        "Least sharpness of a face that is embedded. Higher refuses motion blur, and soft lenses.",
    ),
    Knob::new(
        "quality.min_confidence",
        Kind::Number(0.0, 1.0),
        "",
        "Least detector confidence of a face that is embedded. Lower lets hidden and half-seen faces through.",
    ),
    Knob::new(
        "quality.max_yaw_deg",
        Kind::Number(0.0, 90.0),
        "degrees",
        "Largest turn to either side of a face that is embedded. Profiles resemble each other more than their \
         persons.",
    ),
    Knob::new(
        "quality.min_face_px",
        Kind::Integer(0, 2000),
        "px",
        "Smallest face that is embedded (shorter side of its box, source pixels). The smaller the face, the \
         less its vector says.",
    )
    .fast("40")
    .high("24"),
    Knob::new(
        "crops.per_track",
        Kind::Integer(0, 100_000),
        "faces",
        "The best faces of each track that are exported as pictures, so that nobody is lost; 0 exports every \
         observation, which takes much space.",
    )
    .fast("4")
    .high("12"),
    Knob::new(
        "crops.skip",
        Kind::Integer(0, 100_000),
        "observations",
        "Exports one observation in this many of each track, in place of the best: an even record, with worse \
         pictures. 0 is off.",
    )
    .legacy(&[Legacy::same("TRACK_CROP_SKIP")]),
    Knob::new(
        "crops.margin",
        Kind::Number(0.0, 2.0),
        "of the box",
        "Border around the face on each side, as a share of the longer side of its box. Larger shows hair and \
         shoulders, and takes more space.",
    ),
    Knob::new(
        "crops.jpeg_quality",
        Kind::Integer(1, 100),
        "",
        "JPEG quality of chips and crops. Lower saves space and blurs what is embedded; close to 100 files \
         grow quickly for little.",
    ),
    Knob::new(
        "crops.max_side_px",
        Kind::Integer(0, 8192),
        "px",
        "Longest side of a crop; larger ones are made smaller. 0 keeps them as in the frame: close-ups then \
         take much space.",
    ),
    Knob::new(
        "gate.enabled",
        Kind::Switch,
        "",
        "Compares the faces of each track over time and splits it where the person changed. Off trusts the \
         tracker alone.",
    ),
    Knob::new(
        "gate.every_sec",
        Kind::Number(0.0, 60.0),
        "s",
        "Cadence of gate embeddings, for each track on its own; after half of it where a face was lost for so \
         long, its box jumped, or it parted from another. Shorter notices changes earlier and embeds more; 0 takes every observation.",
    )
    .fast("2")
    .legacy(&[Legacy::frames("TRACK_GATE_EMB_EVERY"), Legacy::frames("--gate-emb-every")]),
    Knob::new(
        "gate.hard",
        Kind::Number(0.0, 1.0),
        "similarity",
        "One face less similar to the track's prototype splits it at once. Values belong to one embedder; 0 \
         takes the one recorded with the model.",
    )
    .legacy(&[Legacy::same("TRACK_GATE_APPEAR_HARD")]),
    Knob::new(
        "gate.soft",
        Kind::Number(0.0, 1.0),
        "similarity",
        "Faces less similar than this count towards the streak. Values belong to one embedder; 0 takes the \
         one recorded with the model.",
    )
    .legacy(&[Legacy::same("TRACK_GATE_APPEAR_SOFT")]),
    Knob::new(
        "gate.streak",
        Kind::Integer(1, 1000),
        "faces",
        "So many faces below `gate.soft` in a row split the track. Lower splits sooner, also where somebody \
         only turns away.",
    )
    .legacy(&[Legacy::same("TRACK_GATE_APPEAR_STREAK")]),
    Knob::new(
        "gate.min_iou",
        Kind::Number(0.0, 1.0),
        "IoU",
        "Successive boxes of a track that overlap by less are a spatial jump, which makes a change of person \
         more likely, as parting from another face does. Higher looks at more places.",
    )
    .legacy(&[Legacy::same("TRACK_GATE_IOU")]),
    Knob::new(
        "gate.min_quality",
        Kind::Number(0.0, 1.0),
        "",
        "Faces of lower quality are not judged: turned away or blurred, they look like nobody. Higher splits less.",
    ),
    Knob::new(
        "gate.momentum",
        Kind::Number(0.0, 0.999),
        "",
        "Share of the prototype that stays when a face is added. Higher forgets more slowly: steadier, but \
         slow to follow a turning head.",
    )
    .legacy(&[Legacy::same("TRACK_GATE_PROTO_MOM")]),
    Knob::new(
        "gate.rejoin",
        Kind::Number(0.0, 1.0),
        "similarity",
        "Tracks of one shot whose prototypes are at least so similar are joined, within `track.relink_gap_sec`. Lower \
         joins more fragments, and people who look alike. Values belong to one embedder; 0 takes the one recorded \
         with the model.",
    ),
    Knob::new(
        "embed.enabled",
        Kind::Switch,
        "",
        "Makes a vector for every chosen face. Off leaves tracks and crops (as `--no-embed` does), in a \
         fraction of the time.",
    ),
    Knob::new(
        "embed.model",
        Kind::Text,
        "",
        "The embedder: `sface`, or any name for a model of your own (five-point alignment to 112x112).",
    ),
    Knob::new(
        "embed.model_file",
        Kind::Text,
        "path",
        "The ONNX file of an embedder of your own, with vectors of any length; empty takes the catalog's. Its \
         place does not change a run, its digest does.",
    ),
    Knob::new(
        "embed.model_sha256",
        Kind::Digest,
        "",
        "The digest that file must have; empty accepts any file of your own. Set it wherever runs must be \
         repeatable.",
    ),
    Knob::new(
        "embed.provider",
        Kind::Choice(&["cpu", "cuda"]),
        "",
        "What the embedder runs on, as `detect.provider`. On `cuda` a larger `embed.batch_size` keeps the card busier.",
    ),
    Knob::new(
        "embed.batch_size",
        Kind::Integer(1, 1024),
        "faces",
        "Most faces that go through the embedder at once (one by one where its file allows no more), cut from the \
         job and never from what happens to wait. More takes more memory, is no faster on CPUs, and may change \
         the last digits of vectors.",
    ),
    Knob::new(
        "embed.job_faces",
        Kind::Integer(1, 100_000),
        "faces",
        "Largest aimed size of an embed job, the unit of work; tracks stay whole, and an episode with few faces \
         is cut into smaller jobs, so that all workers have some. Smaller spreads better over workers, larger means \
         fewer messages.",
    ),
];
