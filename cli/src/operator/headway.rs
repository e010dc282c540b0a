//! How far a run is: its parts in the store, counted.

use anyhow::{Context as _, Result};
use facereel_domain::ids::RunRef;
use facereel_domain::layout::RunLayout;
use facereel_domain::pipeline::Stage;
use facereel_messages::objects::Plan;
use facereel_store::{ObjectMeta, Store, if_there};
use serde::Serialize;

/// How far a run is.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Headway {
    /// The stage that has something to do.
    pub(crate) phase: Stage,
    /// Its parts that are there.
    pub(crate) parts_done: u64,
    /// Its parts in all.
    pub(crate) parts: u64,
    /// Frames in the segments that are detected.
    pub(crate) frames_done: u64,
    /// Frames of the video; 0 until it is planned.
    pub(crate) frames: u64,
}

/// What is kept of a plan while a run is watched: it never changes.
#[derive(Debug, Clone)]
pub(crate) struct PlanView {
    /// Frames of each segment.
    segment_frames: Vec<u64>,
}

/// Counts the run's parts. `plan` keeps the plan for the next time.
pub(crate) async fn headway(store: &dyn Store, run: &RunRef, plan: &mut Option<PlanView>) -> Result<Headway> {
    let layout = RunLayout::new(run);
    if plan.is_none() {
        *plan = read_plan(store, &layout).await?;
    }
    let Some(plan) = plan else { return Ok(Headway::unplanned()) };
    let detected = store.list(&layout.detection_parts_prefix()).await?;
    let detected: Vec<usize> = detected.iter().filter_map(number).collect();
    let has_tracks = store.head(&layout.tracks()).await?.is_some();
    let (mut batches, mut embedded) = (0, 0);
    if has_tracks {
        batches = store.list(&layout.embed_batches_prefix()).await?.len() as u64;
        embedded = store.list(&layout.embedding_parts_prefix()).await?.len() as u64;
    }
    Ok(plan.headway(&Seen { detected, has_tracks, batches, embedded }))
}

async fn read_plan(store: &dyn Store, layout: &RunLayout) -> Result<Option<PlanView>> {
    let Some(bytes) = if_there(store.get(&layout.plan()).await)? else { return Ok(None) };
    let plan: Plan = facereel_messages::decode(&bytes)
        .with_context(|| format!("{}/{} can't be read", store.url(), layout.plan()))?;
    let segment_frames = plan.segments.iter().map(|segment| u64::from(segment.frames)).collect();
    Ok(Some(PlanView { segment_frames }))
}

/// The number that a part is named by.
fn number(part: &ObjectMeta) -> Option<usize> {
    part.key.as_str().rsplit('/').next()?.split('.').next()?.parse().ok()
}

/// The parts of a planned run that are there.
struct Seen {
    /// Segments.
    detected: Vec<usize>,
    has_tracks: bool,
    /// Batches there are to embed.
    batches: u64,
    embedded: u64,
}

impl Headway {
    fn unplanned() -> Self {
        Self { phase: Stage::Plan, parts_done: 0, parts: 1, frames_done: 0, frames: 0 }
    }

    /// What speed is measured in, done and in all: frames where they are detected, else parts.
    pub(crate) fn units(&self) -> (u64, u64) {
        match self.phase {
            Stage::Detect => (self.frames_done, self.frames),
            _ => (self.parts_done, self.parts),
        }
    }
}

impl PlanView {
    fn headway(&self, seen: &Seen) -> Headway {
        let segments = self.segment_frames.len() as u64;
        let detected = seen.detected.len() as u64;
        let (phase, parts_done, parts) = match seen {
            _ if detected < segments => (Stage::Detect, detected, segments),
            Seen { has_tracks: false, .. } => (Stage::Track, 0, 1),
            Seen { batches, embedded, .. } if embedded < batches => (Stage::Embed, *embedded, *batches),
            _ => (Stage::Export, 0, 1),
        };
        let frames_of = |segment: &usize| self.segment_frames.get(*segment).copied();
        Headway {
            phase,
            parts_done,
            parts,
            frames_done: seen.detected.iter().filter_map(frames_of).sum(),
            frames: self.segment_frames.iter().sum(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::standing::tests::{put, run};
    use super::*;
    use facereel_domain::ids::SegmentIndex;
    use facereel_store::MemoryStore;

    fn of(detected: &[usize], has_tracks: bool, embedded: u64) -> (Stage, u64, u64, u64) {
        let plan = PlanView { segment_frames: vec![100, 100, 20] };
        let batches = if has_tracks { 2 } else { 0 };
        let headway = plan.headway(&Seen { detected: detected.to_vec(), has_tracks, batches, embedded });
        assert_eq!(headway.frames, 220);
        (headway.phase, headway.parts_done, headway.parts, headway.frames_done)
    }

    #[test]
    fn the_phase_is_the_first_stage_with_a_part_missing() {
        assert_eq!(of(&[0, 2], false, 0), (Stage::Detect, 2, 3, 120));
        assert_eq!(of(&[0, 1, 2], false, 0), (Stage::Track, 0, 1, 220));
        assert_eq!(of(&[0, 1, 2], true, 1), (Stage::Embed, 1, 2, 220));
        assert_eq!(of(&[0, 1, 2], true, 2), (Stage::Export, 0, 1, 220));
    }

    #[tokio::test]
    async fn a_run_without_a_plan_is_being_planned() {
        let headway = headway(&MemoryStore::default(), &run("EP"), &mut None).await.unwrap();
        assert_eq!((headway.phase, headway.parts), (Stage::Plan, 1));
    }

    #[tokio::test]
    async fn parts_are_told_by_the_numbers_in_their_names() {
        let store = MemoryStore::default();
        put(&store, &RunLayout::new(&run("EP")).detections_part(SegmentIndex(12)), "").await;
        let listed = store.list("").await.unwrap();
        assert_eq!(number(&listed[0]), Some(12));
    }
}
