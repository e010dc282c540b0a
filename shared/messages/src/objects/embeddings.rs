//! What the embed stage leaves of each batch: vectors, splits and prototypes.

use facereel_domain::embedding::Embedding;
use facereel_domain::ids::{BatchIndex, FaceId};
use serde::{Deserialize, Serialize};

use super::MIB;
use crate::Format;

/// What a batch's faces gave.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmbeddingsPart {
    /// The batch.
    pub batch: BatchIndex,
    /// The batch's faces in its order.
    pub faces: Vec<EmbeddedFace>,
    /// Where tracklets change the person, by tracklet, then in order of time.
    pub splits: Vec<GateSplit>,
    /// A vector for each piece of each tracklet that has an embedded face, by tracklet and piece.
    pub prototypes: Vec<Prototype>,
    /// Prototypes of one shot that are at least so similar show one person, by the settings or by what is recorded with
    /// the embedder; nothing is joined where it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rejoin: Option<f32>,
    /// What people should know about the embedder; the same in every part of a run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// What one piece of a tracklet looks like.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prototype {
    /// Number of the tracklet.
    pub tracklet: u32,
    /// Splits before the piece.
    pub piece: u32,
    /// Robust mean of the piece's faces.
    pub embedding: Embedding,
    /// Mean similarity of these faces to it.
    pub cohesion: f32,
}

/// A chosen face and its vector.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmbeddedFace {
    /// The face.
    pub face: FaceId,
    /// Number of its tracklet.
    pub tracklet: u32,
    /// Its vector, or the quality gate that refused it.
    pub outcome: Result<Embedding, String>,
    /// Similarity to the tracklet's prototype where the appearance gate looked at it.
    pub gate_similarity: Option<f32>,
}

/// A place where a tracklet goes on with another person.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GateSplit {
    /// Number of the tracklet.
    pub tracklet: u32,
    /// Last face that still showed the person before.
    pub after: FaceId,
    /// First face that showed the other person; the change lies after `after`, up to here.
    pub first: FaceId,
    /// What gave it away.
    pub reason: SplitReason,
    /// Similarity to the prototype at the decision.
    pub similarity: f32,
}

/// What gave a change of person away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SplitReason {
    /// One face far below the hard threshold.
    Hard,
    /// Several faces in a row below the soft threshold.
    Streak,
    /// A face below the soft threshold after the box jumped.
    Jump,
}

impl Format for EmbeddingsPart {
    const NAME: &'static str = "facereel.embeddings-part";
    const VERSION: u16 = 1;
    const MAX_BYTES: usize = 256 * MIB;
}
