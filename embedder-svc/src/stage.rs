use std::sync::Arc;

use async_trait::async_trait;
use facereel_domain::embedding::Embedding;
use facereel_domain::pipeline::Stage as StageName;
use facereel_messages::jobs::{EmbedJob, ExportJob, Job};
use facereel_messages::objects::{
    EmbedBatch, EmbeddedFace, EmbeddingsPart, FacePurpose, FaceToEmbed, GateSplit, Prototype, RunRequest,
};
use facereel_service::{NextJob, Progress, Stage, StageContext, StageError, objects};

use crate::embedders::{Embedders, gate_rules};
use crate::faces::{Chips, embed_faces};
use crate::gate::{GateFindings, GateRules, Look, walk};
use crate::prototype::{Weighted, robust_mean};

/// Does embed jobs.
pub struct EmbedStage {
    embedders: Arc<Embedders>,
}

impl EmbedStage {
    /// A stage that takes its models from `embedders`.
    #[must_use]
    pub fn new(embedders: Arc<Embedders>) -> Self {
        Self { embedders }
    }
}

#[async_trait]
impl Stage for EmbedStage {
    type Job = EmbedJob;

    async fn process(&self, job: EmbedJob, context: &StageContext) -> Result<Vec<NextJob>, StageError> {
        let layout = context.layout(&job.address().run);
        let store = context.store.as_ref();
        let part_key = layout.embeddings_part(job.batch);
        if objects::exists(store, &part_key).await? {
            context.progress.report(Progress::PartFound { stage: StageName::Embed, units: 1 });
        } else {
            let request: RunRequest = objects::read(store, &layout.request()).await?;
            let batch: EmbedBatch = objects::read(store, &layout.embed_batch(job.batch)).await?;
            let chips = Chips::read(store, &layout, &batch.faces).await?;
            let (embedders, there) = (Arc::clone(&self.embedders), context.clone());
            let part =
                context.compute.run(move || embed_batch(&batch, &chips, (&request, &embedders), &there)).await??;
            objects::write(store, &part_key, &part).await?;
            context.progress.report(Progress::Advanced { stage: StageName::Embed, units: 1 });
            context.progress.report(Progress::PartDone { stage: StageName::Embed });
        }
        if objects::count(store, &layout.embedding_parts_prefix()).await? < job.batches as usize {
            return Ok(Vec::new());
        }
        Ok(vec![NextJob::new(&ExportJob { address: job.address, batches: job.batches })?])
    }
}

fn embed_batch(
    batch: &EmbedBatch,
    chips: &Chips,
    (request, embedders): (&RunRequest, &Embedders),
    context: &StageContext,
) -> Result<EmbeddingsPart, StageError> {
    let settings = &request.pipeline;
    let mut embedder = embedders.take(&settings.embed, &request.models)?;
    let rules = gate_rules(&settings.gate, embedder.gate);
    let outcomes = embed_faces(&batch.faces, chips, (embedder.embedder.as_mut(), settings), context)?;
    let mut part =
        EmbeddingsPart { batch: batch.batch, faces: Vec::new(), splits: Vec::new(), prototypes: Vec::new() };
    let mut start = 0;
    for faces in batch.faces.chunk_by(|a, b| a.tracklet == b.tracklet) {
        let end = start + faces.len();
        judge_tracklet(faces, &outcomes[start..end], (settings.gate.enabled, &rules), &mut part);
        start = end;
    }
    Ok(part)
}

/// Gate, pieces and prototypes of one tracklet.
fn judge_tracklet(
    faces: &[FaceToEmbed],
    outcomes: &[Result<Embedding, String>],
    (gated, rules): (bool, &GateRules),
    part: &mut EmbeddingsPart,
) {
    let tracklet = faces[0].tracklet;
    let looks = looks(faces, outcomes);
    let findings = if gated { walk(tracklet, &looks, rules) } else { GateFindings::default() };
    let similarity_of = |face: &FaceToEmbed| {
        let place = looks.iter().position(|look| look.face == face.face)?;
        findings.similarities.get(place).copied()
    };
    part.faces.extend(faces.iter().zip(outcomes).map(|(face, outcome)| EmbeddedFace {
        face: face.face,
        tracklet,
        outcome: outcome.clone(),
        gate_similarity: similarity_of(face),
    }));
    part.prototypes.extend(prototypes(faces, outcomes, &findings.splits));
    part.splits.extend(findings.splits);
}

/// The faces that the gate looks at: chosen for it, and with a vector. A jump before a face without one counts for the
/// next that has one.
fn looks<'a>(faces: &[FaceToEmbed], outcomes: &'a [Result<Embedding, String>]) -> Vec<Look<'a>> {
    let mut jumped = false;
    let mut looks = Vec::new();
    for (face, outcome) in faces.iter().zip(outcomes) {
        jumped |= face.jumped;
        if let (Ok(embedding), FacePurpose::Gate | FacePurpose::SampleAndGate) = (outcome, face.purpose) {
            looks.push(Look { face: face.face, embedding, jumped });
            jumped = false;
        }
    }
    looks
}

fn prototypes(
    faces: &[FaceToEmbed],
    outcomes: &[Result<Embedding, String>],
    splits: &[GateSplit],
) -> Vec<Prototype> {
    let mut prototypes = Vec::new();
    for piece in 0..=splits.len() {
        let from = piece.checked_sub(1).map(|before| splits[before].first);
        let to = splits.get(piece).map(|split| split.first);
        let members: Vec<Weighted<'_>> = faces
            .iter()
            .zip(outcomes)
            .filter(|(face, _)| from.is_none_or(|f| face.face >= f) && to.is_none_or(|t| face.face < t))
            .filter_map(|(face, outcome)| {
                Some(Weighted { embedding: outcome.as_ref().ok()?, weight: face.quality.score })
            })
            .collect();
        if let Some(center) = robust_mean(&members) {
            prototypes.push(Prototype {
                tracklet: faces[0].tracklet,
                piece: piece as u32,
                embedding: center.embedding,
                cohesion: center.cohesion,
            });
        }
    }
    prototypes
}
