//! The settings that determine artifacts: equal values, source and models give equal bytes.

use serde::{Deserialize, Serialize};

/// What determines the artifacts of a run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PipelineSettings {
    /// Which frames are analysed and how faces are found in them.
    pub detect: DetectSettings,
    /// Where shots begin.
    pub shots: ShotSettings,
    /// How detections become tracks.
    pub track: TrackSettings,
    /// Which faces are good enough to be embedded.
    pub quality: QualitySettings,
    /// Which faces are exported as pictures.
    pub crops: CropSettings,
    /// Where a track is split because the person changed.
    pub gate: GateSettings,
    /// How faces become vectors.
    pub embed: EmbedSettings,
}

/// What a model runs on: ONNX Runtime's execution provider. Each takes its sums in an order of its own, so that the last
/// digits of the same model's results differ (docs/adr/0006).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Provider {
    /// The processor.
    #[default]
    Cpu,
    /// An NVIDIA graphics card.
    Cuda,
}

/// Which frames are analysed and how faces are found in them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is a knob of its own, any combination is valid")]
pub struct DetectSettings {
    /// The detector's name in the model catalog, or any name for a model of one's own.
    pub model: String,
    /// The file of a model of one's own; empty = the catalog's. Where it lies does not change the run; its digest does.
    pub model_file: String,
    /// The digest the model's file must have, 64 hexadecimal digits; empty = the catalog's, or any for one's own file.
    pub model_sha256: String,
    /// How to read the outputs of a model of one's own (`yunet`, `centerface`, `scrfd`); empty = `scrfd`. The catalog's
    /// models are read as what they are.
    pub model_head: String,
    /// What the detector runs on.
    pub provider: Provider,
    /// One frame in this many is analysed, the first of each shot, and a few of shots that are very short.
    pub stride: u32,
    /// Frames analysed per second of video, in place of `stride`; 0 = use `stride`.
    pub analyzed_fps: f64,
    /// How many frames a sampled frame may move to one that other frames refer to; 0 = not at all.
    pub stride_snap: u32,
    /// Leaves out decoding frames that nobody needs; what is decoded stays bit-exact.
    pub decode_skip: bool,
    /// Leaves out the codec's loop filter: faster, not bit-exact.
    pub skip_loop_filter: bool,
    /// Smallest face that is tracked, pixels of the source along the box's shorter side.
    pub min_face_px: u32,
    /// Width of the detector's input in pixels; 0 = from `min_face_px`.
    pub input_width: u32,
    /// One sampled frame in this many goes through the wider input that small faces need, while that shows none; every
    /// one while it shows some.
    pub wide_every: u32,
    /// Detections below this confidence are not even recorded.
    pub min_confidence: f32,
    /// Boxes that overlap by more than this `IoU` are one face.
    pub nms_iou: f32,
    /// Looks a second time at a smaller picture for faces that fill the frame.
    pub close_ups: bool,
    /// Reuses the detections of the last analysed frame where the picture has not changed.
    pub skip_unchanged: bool,
    /// Largest luma difference between two thumbnails' blocks, in levels of 255, up to which a frame counts as unchanged.
    pub unchanged_tolerance: f32,
    /// Fits the threshold for new tracks to each shot's light.
    pub adaptive_threshold: bool,
    /// Lowest threshold that `adaptive_threshold` may choose.
    pub adaptive_min: f32,
    /// Highest threshold that `adaptive_threshold` may choose.
    pub adaptive_max: f32,
    /// Aimed length of a segment, the unit of work, in seconds of video.
    pub segment_sec: f64,
}

/// Share of `detect.min_face_px` to which a face in a track may fall.
const SIZE_SLACK: f32 = 0.8;

impl DetectSettings {
    /// Shorter side, in pixels of the source, to which a face may fall and stay in its track: boxes waver by a tenth from
    /// frame to frame, and a face of just `min_face_px` should not come and go with them.
    #[must_use]
    pub fn smallest_tracked_px(&self) -> f32 {
        self.min_face_px as f32 * SIZE_SLACK
    }
}

impl Default for DetectSettings {
    fn default() -> Self {
        Self {
            model: "yunet".to_owned(),
            model_file: String::new(),
            model_sha256: String::new(),
            model_head: String::new(),
            provider: Provider::Cpu,
            stride: 6,
            analyzed_fps: 0.0,
            stride_snap: 0,
            decode_skip: true,
            skip_loop_filter: false,
            min_face_px: 32,
            input_width: 0,
            wide_every: 4,
            min_confidence: 0.3,
            nms_iou: 0.3,
            close_ups: true,
            skip_unchanged: true,
            unchanged_tolerance: 1.0,
            adaptive_threshold: false,
            adaptive_min: 0.4,
            adaptive_max: 0.8,
            segment_sec: 60.0,
        }
    }
}

/// Where shots begin.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShotSettings {
    /// Looks for shots; off = the video is one shot.
    pub enabled: bool,
    /// Share of the picture, 0 to 1, that must change from one frame to the next for a cut.
    pub cut_threshold: f32,
    /// Standard deviation of luma, in levels of 255, up to which a picture is plain (black, white, one colour), as between
    /// fades.
    pub fade_level: f32,
    /// Cuts within this many seconds that show the same content again count once (flashes, strobe).
    pub cooldown_sec: f64,
    /// A shot lasts at least this many seconds; shorter ones join the shot before.
    pub min_shot_sec: f64,
}

impl Default for ShotSettings {
    fn default() -> Self {
        Self { enabled: true, cut_threshold: 0.3, fade_level: 3.0, cooldown_sec: 1.0, min_shot_sec: 0.0 }
    }
}

/// How detections become tracks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrackSettings {
    /// Detections from this confidence take part in the first association.
    pub high_thresh: f32,
    /// Detections from here to `high_thresh` take part in the second association only.
    pub low_thresh: f32,
    /// An unmatched detection from this confidence starts a track.
    pub new_thresh: f32,
    /// Least `IoU` of prediction and detection in the first association.
    pub min_iou: f32,
    /// Least `IoU` of prediction and detection in the second association.
    pub second_min_iou: f32,
    /// How long a lost track can be found again, in seconds.
    pub buffer_sec: f64,
    /// A track not seen for longer than this, in seconds, ends; what comes later is a new track.
    pub max_gap_sec: f64,
    /// Tracks of a shot that follow each other within this many seconds are joined where appearance says that they show one
    /// person; 0 = never.
    pub relink_gap_sec: f64,
    /// Tracks with fewer observations are left out.
    pub min_observations: u32,
    /// Tracks whose faces have a lower mean confidence are left out.
    pub min_mean_confidence: f32,
    /// Most faces sampled from a track for embedding; 0 = all.
    pub sample_limit: u32,
    /// In each analysed frame one track in this many gets the full work.
    pub process_skip: u32,
    /// How far a face may move between two samples, in face widths, where boxes no longer overlap.
    pub max_jump: f32,
}

impl Default for TrackSettings {
    fn default() -> Self {
        Self {
            high_thresh: 0.6,
            low_thresh: 0.3,
            new_thresh: 0.7,
            min_iou: 0.1,
            second_min_iou: 0.5,
            buffer_sec: 3.75,
            max_gap_sec: 2.0,
            relink_gap_sec: 5.0,
            min_observations: 3,
            min_mean_confidence: 0.6,
            sample_limit: 6,
            process_skip: 1,
            max_jump: 1.5,
        }
    }
}

/// Which faces are good enough to be embedded; a face that fails is listed with the gate that refused it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QualitySettings {
    /// Least overall quality, 0 to 1.
    pub min_score: f32,
    /// Least sharpness, 0 to 1.
    pub min_sharpness: f32,
    /// Least detector confidence.
    pub min_confidence: f32,
    /// Largest turn to the side, degrees either way.
    pub max_yaw_deg: f32,
    /// Least shorter side of the face's box, pixels of the source.
    pub min_face_px: u32,
}

impl Default for QualitySettings {
    fn default() -> Self {
        Self { min_score: 0.1, min_sharpness: 0.05, min_confidence: 0.5, max_yaw_deg: 75.0, min_face_px: 32 }
    }
}

/// Which faces are exported as pictures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CropSettings {
    /// Best faces of each track that are exported; 0 = every observation.
    pub per_track: u32,
    /// One observation in this many of each track is exported, in place of the best; 0 = off.
    pub skip: u32,
    /// Border around the face's box, as a share of the box's longer side.
    pub margin: f32,
    /// JPEG quality, 1 to 100.
    pub jpeg_quality: u8,
    /// Longest side of a crop in pixels, larger ones are made smaller; 0 = as in the frame.
    pub max_side_px: u32,
}

impl Default for CropSettings {
    fn default() -> Self {
        Self { per_track: 6, skip: 0, margin: 0.3, jpeg_quality: 90, max_side_px: 384 }
    }
}

/// Where a track is split because the person changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GateSettings {
    /// Looks for changes of person within tracks.
    pub enabled: bool,
    /// Each track gets a gate embedding at this cadence, in seconds.
    pub every_sec: f64,
    /// One similarity to the prototype below this splits; 0 = the value recorded with the model.
    pub hard: f32,
    /// Similarities below this count towards the streak; 0 = the value recorded with the model.
    pub soft: f32,
    /// So many similarities below `soft` in a row split.
    pub streak: u32,
    /// Neighbouring boxes of a track that overlap by less than this `IoU` are a spatial jump.
    pub min_iou: f32,
    /// Faces of lower quality are not judged: turned away or blurred, they look like nobody.
    pub min_quality: f32,
    /// Share of the prototype that stays when a vector is added.
    pub momentum: f32,
    /// Tracks of one shot whose prototypes are at least so similar are joined, see `TrackSettings::relink_gap_sec`; 0 =
    /// the value recorded with the model.
    pub rejoin: f32,
}

impl Default for GateSettings {
    fn default() -> Self {
        Self {
            enabled: true,
            every_sec: 1.0,
            hard: 0.0,
            soft: 0.0,
            streak: 3,
            min_iou: 0.2,
            min_quality: 0.25,
            momentum: 0.9,
            rejoin: 0.0,
        }
    }
}

/// How faces become vectors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmbedSettings {
    /// Makes vectors; off = tracks and crops only.
    pub enabled: bool,
    /// The embedder's name in the model catalog, or any name for a model of one's own.
    pub model: String,
    /// The file of a model of one's own; empty = the catalog's. Where it lies does not change the run; its digest does.
    pub model_file: String,
    /// The digest the model's file must have, 64 hexadecimal digits; empty = the catalog's, or any for one's own file.
    pub model_sha256: String,
    /// What the embedder runs on.
    pub provider: Provider,
    /// Most faces that go through the embedder at once.
    pub batch_size: u32,
    /// Most faces of one embed job, the unit of work, where tracks, which stay whole, allow it.
    pub job_faces: u32,
}

impl Default for EmbedSettings {
    fn default() -> Self {
        Self {
            enabled: true,
            model: "sface".to_owned(),
            model_file: String::new(),
            model_sha256: String::new(),
            provider: Provider::Cpu,
            batch_size: 1,
            job_faces: 64,
        }
    }
}
