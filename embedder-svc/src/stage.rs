//! The embed stage: a batch on a compute thread; whoever leaves the last part publishes the export job.

use std::sync::Arc;

use async_trait::async_trait;
use facereel_domain::embedding::Embedding;
use facereel_domain::pipeline::Stage as StageName;
use facereel_domain::settings::GateSettings;
use facereel_messages::jobs::{EmbedJob, ExportJob, Job};
use facereel_messages::objects::{
    EmbedBatch, EmbeddedFace, EmbeddingsPart, FacePurpose, FaceToEmbed, GateSplit, Prototype, RunRequest,
};
use facereel_service::{NextJob, Progress, Stage, StageContext, StageError, objects};

use crate::embedders::{Embedders, appearance};
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
        if context.is_committed(&job.address().run).await? {
            return Ok(Vec::new());
        }
        let part_key = layout.embeddings_part(job.batch);
        if objects::exists(store, &part_key).await? {
            context.progress.report(Progress::PartFound { stage: StageName::Embed, units: 1 });
        } else {
            let request = objects::request(store, &layout).await?;
            let batch: EmbedBatch = objects::read(store, &layout.embed_batch(job.batch)).await?;
            let chips = Chips::read(store, &layout, &batch.faces).await?;
            let (embedders, there) = (Arc::clone(&self.embedders), context.clone());
            let part = context
                .compute
                .run(move || embed_batch(&batch, &chips, (&request, &embedders), &there))
                .await??;
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
    let appearance = appearance(settings, embedder.gate);
    let outcomes = embed_faces(&batch.faces, chips, (embedder.embedder.as_mut(), settings), context)?;
    let mut part = EmbeddingsPart {
        batch: batch.batch,
        faces: Vec::new(),
        splits: Vec::new(),
        prototypes: Vec::new(),
        rejoin: settings.gate.enabled.then_some(appearance.rejoin),
        warnings: appearance.warning.into_iter().collect(),
    };
    let mut start = 0;
    for faces in batch.faces.chunk_by(|a, b| a.tracklet == b.tracklet) {
        let end = start + faces.len();
        judge_tracklet(faces, &outcomes[start..end], (&settings.gate, &appearance.rules), &mut part);
        start = end;
    }
    Ok(part)
}

/// Gate, pieces and prototypes of one tracklet.
fn judge_tracklet(
    faces: &[FaceToEmbed],
    outcomes: &[Result<Embedding, String>],
    (gate, rules): (&GateSettings, &GateRules),
    part: &mut EmbeddingsPart,
) {
    let tracklet = faces[0].tracklet;
    let looks = looks(faces, outcomes, gate.min_quality);
    let findings = if gate.enabled { walk(tracklet, &looks, rules) } else { GateFindings::default() };
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

/// The faces that the gate looks at: chosen for it, good enough to be judged, and with a vector. A jump before a face
/// that is not looked at counts for the next that is.
fn looks<'a>(
    faces: &[FaceToEmbed],
    outcomes: &'a [Result<Embedding, String>],
    min_quality: f32,
) -> Vec<Look<'a>> {
    let mut jumped = false;
    let mut looks = Vec::new();
    for (face, outcome) in faces.iter().zip(outcomes) {
        jumped |= face.jumped;
        let is_due = face.purpose != FacePurpose::Sample && face.quality.score >= min_quality;
        if let Some(embedding) = outcome.as_ref().ok().filter(|_| is_due) {
            looks.push(Look { face: face.face, embedding, jumped });
            jumped = false;
        }
    }
    looks
}

/// The vector of each piece, from the faces that are surely its own: those between the last one seen to be the old
/// person and the first one seen to be the new one may be either.
fn prototypes(
    faces: &[FaceToEmbed],
    outcomes: &[Result<Embedding, String>],
    splits: &[GateSplit],
) -> Vec<Prototype> {
    let mut prototypes = Vec::new();
    for piece in 0..=splits.len() {
        let from = piece.checked_sub(1).map(|before| splits[before].first);
        let to = splits.get(piece).map(|split| split.after);
        let members: Vec<Weighted<'_>> = faces
            .iter()
            .zip(outcomes)
            .filter(|(face, _)| from.is_none_or(|f| face.face >= f) && to.is_none_or(|t| face.face <= t))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::staged::{RULES, at, face};
    use facereel_domain::ids::{BatchIndex, FaceId};
    use facereel_messages::objects::SplitReason;

    /// The judgement on a tracklet whose faces lie six frames apart: an angle each, or `None` where a gate refused it.
    fn judged(angles: &[Option<f32>], change: impl Fn(&mut Vec<FaceToEmbed>)) -> EmbeddingsPart {
        let mut faces: Vec<_> = (0..angles.len() as u64).map(|n| face(n * 6)).collect();
        change(&mut faces);
        let outcomes: Vec<_> =
            angles.iter().map(|angle| angle.map(at).ok_or_else(|| "blurred".to_owned())).collect();
        let mut part = EmbeddingsPart {
            batch: BatchIndex(0),
            faces: Vec::new(),
            splits: Vec::new(),
            prototypes: Vec::new(),
            rejoin: None,
            warnings: Vec::new(),
        };
        judge_tracklet(&faces, &outcomes, (&GateSettings::default(), &RULES), &mut part);
        part
    }

    fn splits(part: &EmbeddingsPart) -> Vec<(u64, SplitReason)> {
        part.splits.iter().map(|split| (split.first.frame_idx, split.reason)).collect()
    }

    #[test]
    fn every_face_has_one_outcome_in_the_order_of_the_batch() {
        let part = judged(&[Some(0.0), None, Some(5.0)], |_| {});
        let frames: Vec<u64> = part.faces.iter().map(|f| f.face.frame_idx).collect();
        assert_eq!(frames, [0, 6, 12]);
        assert_eq!(part.faces[1].outcome, Err("blurred".to_owned()));
        assert_eq!(part.faces[1].gate_similarity, None);
        assert_eq!(part.faces[0].gate_similarity, Some(1.0));
    }

    #[test]
    fn refused_faces_neither_feed_nor_break_a_streak() {
        let streak = [Some(0.0), Some(75.0), None, Some(76.0), None, None, Some(77.0)];
        assert_eq!(splits(&judged(&streak, |_| {})), [(6, SplitReason::Streak)]);
        let too_short = [Some(0.0), Some(75.0), None, Some(76.0), None, None];
        assert_eq!(splits(&judged(&too_short, |_| {})), []);
    }

    #[test]
    fn a_jump_before_a_refused_face_counts_for_the_next_one() {
        let jumping = |faces: &mut Vec<FaceToEmbed>| faces[1].jumped = true;
        let part = judged(&[Some(0.0), None, Some(75.0), Some(75.0)], jumping);
        assert_eq!(splits(&part), [(12, SplitReason::Jump)]);
    }

    #[test]
    fn samples_that_the_gate_did_not_choose_are_not_judged() {
        let samples = |faces: &mut Vec<FaceToEmbed>| faces[1].purpose = FacePurpose::Sample;
        let part = judged(&[Some(0.0), Some(90.0), Some(1.0)], samples);
        assert_eq!(splits(&part), []);
        assert_eq!(part.faces[1].gate_similarity, None);
    }

    #[test]
    fn each_piece_of_a_split_tracklet_has_a_prototype_of_its_own_faces() {
        let part = judged(&[Some(0.0), Some(2.0), Some(88.0), Some(90.0)], |_| {});
        assert_eq!(splits(&part), [(12, SplitReason::Hard)]);
        assert_eq!(part.splits[0].after, FaceId { frame_idx: 6, ordinal: 0 });
        let pieces: Vec<u32> = part.prototypes.iter().map(|p| p.piece).collect();
        assert_eq!(pieces, [0, 1]);
        assert!(part.prototypes[0].embedding.similarity(&at(1.0)) > 0.9999);
        assert!(part.prototypes[1].embedding.similarity(&at(89.0)) > 0.9999);
    }

    #[test]
    fn faces_that_may_be_either_person_are_in_no_prototype() {
        // The sample between them is not judged, so nobody knows whom it shows.
        let sample = |faces: &mut Vec<FaceToEmbed>| faces[2].purpose = FacePurpose::Sample;
        let part = judged(&[Some(0.0), Some(2.0), Some(88.0), Some(89.0), Some(91.0)], sample);
        assert_eq!(splits(&part), [(18, SplitReason::Hard)]);
        assert!(part.prototypes[0].embedding.similarity(&at(1.0)) > 0.9999);
        assert!(part.prototypes[1].embedding.similarity(&at(90.0)) > 0.9999);
    }

    #[test]
    fn a_tracklet_whose_faces_were_all_refused_has_no_prototype() {
        let part = judged(&[None, None], |_| {});
        assert_eq!((part.faces.len(), part.prototypes.len(), part.splits.len()), (2, 0, 0));
    }
}
