//! Which frames are analysed, how faces are found in them, where shots begin.

use crate::kind::Kind;
use crate::knob::{Knob, Legacy};

pub(super) const KNOBS: &[Knob] = &[
    Knob::new(
        "detect.model",
        Kind::Text,
        "",
        "The detector: `yunet` (fast) or `centerface` (about six times the work), or any name for a model of \
         your own.",
    ),
    Knob::new(
        "detect.model_file",
        Kind::Text,
        "path",
        "The ONNX file of a detector of your own; empty takes the catalog's. Its place does not change a run, \
         its digest does.",
    ),
    Knob::new(
        "detect.model_sha256",
        Kind::Digest,
        "",
        "The digest that file must have; empty accepts any file of your own. Set it wherever runs must be \
         repeatable.",
    ),
    Knob::new(
        "detect.model_head",
        Kind::Choice(&["", "yunet", "centerface", "scrfd"]),
        "",
        "How the outputs of a detector of your own (`detect.model_file`) are read; `scrfd` reads SCRFD and \
         RetinaFace-style heads (`det_10g.onnx`). Empty reads a detector of your own as `scrfd`; the catalog's \
         are always read as what they are.",
    ),
    Knob::new(
        "detect.provider",
        Kind::Choice(&["cpu", "cuda"]),
        "",
        "What the detector runs on. `cuda` needs an NVIDIA card and a build of ONNX Runtime with CUDA \
         (`models.onnxruntime`) wherever the run is worked on; without them jobs fail, they do not fall back to the CPU. \
         Decoding stays on the CPU; of 1080p, with the default profile, it costs twice as much as detection.",
    ),
    Knob::new(
        "detect.stride",
        Kind::Integer(1, 1000),
        "frames",
        "One frame in this many is analysed, plus the first of each shot and a few of shots too short for \
         `track.min_observations`. Larger is cheaper; faces that show \
         for less than the stride are missed, and fast ones are harder to follow.",
    )
    .fast("8")
    .high("3")
    .legacy(&[Legacy::same("--stride")]),
    Knob::new(
        "detect.analyzed_fps",
        Kind::Number(0.0, 240.0),
        "frames/s",
        "Analysed frames per second of video, in place of `detect.stride`: the same work for videos of any \
         frame rate. 0 uses the stride.",
    ),
    Knob::new(
        "detect.stride_snap",
        Kind::Integer(0, 30),
        "frames",
        "How far a sampled frame may move to a neighbour that other frames refer to, so that less is decoded. \
         Larger is cheaper; sampling gets less even. frame_idx and ts always tell the frame that was taken.",
    )
    .fast("1"),
    Knob::new(
        "detect.decode_skip",
        Kind::Switch,
        "",
        "Frames that nobody needs and no other frame refers to are not decoded. All others stay bit-exact; \
         off only costs time.",
    ),
    Knob::new(
        "detect.skip_loop_filter",
        Kind::Switch,
        "",
        "Leaves out the codec's loop filter: a sixth less decoding, but the picture differs from the true one \
         (40 to 46 dB).",
    ),
    Knob::new(
        "detect.min_face_px",
        Kind::Integer(8, 2000),
        "px",
        "Smallest face that is tracked (shorter side of its box, source pixels); smaller ones are listed as \
         `too_small`, but a track keeps a face that falls short of it by up to a fifth. It sets the detector's \
         input size (at least 512 px wide), so that the work falls with its square until decoding is most of it. \
         Where it asks for more than 640 px, in which large faces are found less surely, frames go through the \
         detector at 640 px, and again at what it asks for (see `detect.wide_every`).",
    )
    .fast("40")
    .high("20"),
    Knob::new(
        "detect.input_width",
        Kind::Integer(0, 8192),
        "px",
        "Width of the detector's one input, for comparisons with other systems; 0 derives it from \
         `detect.min_face_px`.",
    ),
    Knob::new(
        "detect.wide_every",
        Kind::Integer(1, 1000),
        "sampled frames",
        "Where small faces need an input wider than 640 px, one sampled frame in this many goes through it as \
         well while that shows no small face, and every one while it does; the first after a keyframe always does. Larger is \
         cheaper; a small face is found later by up to so many samples. 1 looks at every one.",
    )
    .high("1"),
    Knob::new(
        "detect.min_confidence",
        Kind::Number(0.01, 1.0),
        "",
        "Detections below it are not recorded at all. Keep it at or below `track.low_thresh`: lower records \
         more noise, higher loses what tracking could have used.",
    )
    .legacy(&[Legacy::same("--det-thresh")]),
    Knob::new(
        "detect.nms_iou",
        Kind::Number(0.0, 1.0),
        "IoU",
        "Boxes that overlap by more are one face. Higher keeps faces that stand close together, and doubles.",
    ),
    Knob::new(
        "detect.close_ups",
        Kind::Switch,
        "",
        "Looks again at a much smaller picture for faces that fill the frame. Off saves that look and misses \
         close-ups.",
    ),
    Knob::new(
        "detect.skip_unchanged",
        Kind::Switch,
        "",
        "A sampled frame that does not differ from the last analysed one reuses its detections: title cards \
         and stills cost nothing.",
    ),
    Knob::new(
        "detect.unchanged_tolerance",
        Kind::Number(0.0, 16.0),
        "levels of 255",
        "Largest luma difference between blocks of two frames made tiny (32 x 18 blocks) up to which a frame \
         counts as unchanged. Higher saves more and begins to miss small movements.",
    ),
    Knob::new(
        "detect.adaptive_threshold",
        Kind::Switch,
        "",
        "Fits the confidence needed for a new track to each shot's brightness, contrast and scores. Finds \
         more in the dark, at the price of some false faces.",
    ),
    Knob::new(
        "detect.adaptive_min",
        Kind::Number(0.0, 1.0),
        "",
        "Lowest threshold that `detect.adaptive_threshold` may choose. Lower finds more faces in dark shots, \
         and more that are none.",
    ),
    Knob::new(
        "detect.adaptive_max",
        Kind::Number(0.0, 1.0),
        "",
        "Highest threshold that `detect.adaptive_threshold` may choose. Higher is stricter in bright, clear \
         shots.",
    ),
    Knob::new(
        "detect.segment_sec",
        Kind::Number(1.0, 3600.0),
        "s",
        "Longest aimed length of a segment, the unit of work; shorter video is cut into about 16, of 4 s or \
         more. Shorter spreads better over workers and loses less when \
         one is killed; each segment costs a seek. Which frames are analysed does not depend on it.",
    ),
    Knob::new(
        "shots.enabled",
        Kind::Switch,
        "",
        "Looks for cuts, fades and dissolves, on a picture so small that it costs next to nothing. Off treats the video as \
         one shot: tracks may then jump from person to person at a cut.",
    ),
    Knob::new(
        "shots.cut_threshold",
        Kind::Number(0.01, 1.0),
        "",
        "Share of the picture that must change from one frame to the next for a cut. Lower finds cuts between \
         similar pictures, and takes quick pans for cuts.",
    ),
    Knob::new(
        "shots.fade_level",
        Kind::Number(0.0, 128.0),
        "levels of 255",
        "Standard deviation of luma up to which a picture is plain: black, white or one colour, as between \
         fades; in the dark as much less as a picture is darker than a mean luma of 30, down to a quarter. Higher finds fades that do not reach it, and takes faint scenes (fog, a wall) for plain.",
    ),
    Knob::new(
        "shots.cooldown_sec",
        Kind::Number(0.0, 60.0),
        "s",
        "Cuts that follow each other within this time and show the same content again (flashes, strobe) count \
         once; a real new shot always counts.",
    )
    .legacy(&[Legacy::frames("SCENE_CUT_COOLDOWN"), Legacy::frames("--scene-cut-cooldown")]),
    Knob::new(
        "shots.min_shot_sec",
        Kind::Number(0.0, 60.0),
        "s",
        "A shot lasts at least this long; shorter ones join the shot before. 0 keeps every shot, as tracks \
         must not cross real cuts.",
    ),
];
