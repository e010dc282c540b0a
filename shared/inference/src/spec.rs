//! What an adapter must know about a model: how pixels go in, how outputs are read, and what was measured with it.

/// The order of colour planes in a model's input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChannelOrder {
    /// Red first.
    Rgb,
    /// Blue first, as `OpenCV` keeps pictures.
    Bgr,
}

/// How eight-bit pixels become a model's input: `(value - mean) x scale`, planes in `order`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PixelFormat {
    /// Order of planes.
    pub order: ChannelOrder,
    /// Taken off each value of 0..=255.
    pub mean: f32,
    /// Multiplied after that.
    pub scale: f32,
}

impl PixelFormat {
    /// 0..=255, red first.
    pub const RGB_BYTES: Self = Self { order: ChannelOrder::Rgb, mean: 0.0, scale: 1.0 };
    /// 0..=255, blue first.
    pub const BGR_BYTES: Self = Self { order: ChannelOrder::Bgr, mean: 0.0, scale: 1.0 };
    /// -1..1 by `(value - 127.5) / 128`, red first: InsightFace's detectors.
    pub const RGB_CENTERED: Self = Self { order: ChannelOrder::Rgb, mean: 127.5, scale: 1.0 / 128.0 };
}

/// The cells of an anchor-based head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnchorGrid {
    /// Input pixels a cell, one entry a level, finest first.
    pub strides: Vec<u32>,
    /// Predictions a cell.
    pub anchors_per_cell: u32,
}

/// How a detector's outputs become faces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DetectorHead {
    /// YuNet (Wu, Peng, Yu 2023): anchor-free, class and objectness scores, strides 8, 16, 32.
    YuNet,
    /// CenterFace (Xu et al. 2019): one heat map of face centres, stride 4.
    CenterFace,
    /// SCRFD (Guo et al. 2021) and the RetinaFace models that InsightFace exports alike (`det_500m`, `det_10g`): scores,
    /// distances to the four sides, landmark offsets, all levels' scores first.
    Scrfd(AnchorGrid),
}

/// A face detector.
#[derive(Debug, Clone, PartialEq)]
pub struct DetectorSpec {
    /// How outputs are read.
    pub head: DetectorHead,
    /// How pixels go in.
    pub pixels: PixelFormat,
    /// Candidates below are dropped, 0..1. Lower finds more and lets more through that is no face.
    pub confidence_floor: f32,
    /// Of two candidates that overlap by more (intersection over union) the less sure one is dropped.
    pub nms_iou: f32,
    /// Face size (shorter side of the box, in input pixels) from which on the model finds at least 97 % of clear faces.
    pub smallest_face_px: f32,
    /// Face size (longer side, in input pixels) up to which its boxes are exact. An image that could hold larger faces is
    /// looked at once more, reduced.
    pub largest_face_px: f32,
}

/// Cosine similarities of the appearance gate, tuned for one embedder.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GateThresholds {
    /// Below, a face is another person's at once.
    pub hard: f32,
    /// Below, several times in a row, a face is another person's.
    pub soft: f32,
    /// From here on the means of two tracks of one shot show one person.
    pub rejoin: f32,
}

/// A face embedder.
#[derive(Debug, Clone, PartialEq)]
pub struct EmbedderSpec {
    /// How pixels of the aligned face go in.
    pub pixels: PixelFormat,
    /// Numbers a vector, where the model is known to give so many; `None` takes what the file declares.
    pub dim: Option<usize>,
    /// Similarity from which on two faces are most likely one person's: the best threshold on a verification set.
    pub same_person: f32,
    /// For the appearance gate, found on tracks with ground truth; `None` where nobody has.
    pub gate: Option<GateThresholds>,
}
