//! A finished run, as far as it can be judged: its boxes, its shots, and which frames it looked at.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, bail};
use exporter_svc::manifests::{DetectionRow, ShotRow};
use exporter_svc::{CurrentRun, Manifest};
use facereel_domain::geometry::BBox;
use facereel_domain::ids::EpisodeId;
use facereel_domain::layout::{EPISODES, EpisodeLayout, ObjectKey, RunLayout};
use facereel_domain::settings::DetectSettings;
use facereel_evaluation::formats::ByFrame;
use facereel_evaluation::sequence::Identified;
use facereel_store::Store;
use serde::de::DeserializeOwned;

/// The files of a run that judging needs.
#[derive(Debug)]
pub(crate) struct FinishedRun {
    pub(crate) manifest: Manifest,
    detections: Vec<DetectionRow>,
    shots: Vec<ShotRow>,
}

impl FinishedRun {
    /// Reads the committed run of `episode` in the store at `url`; without an episode the store must hold one alone.
    pub(crate) fn read(url: &str, episode: Option<&EpisodeId>) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let store = crate::store::open(url).await?;
            let store = store.as_ref();
            let pointer = match episode {
                Some(episode) => EpisodeLayout::new(episode).current(),
                None => only_pointer(store, url).await?,
            };
            let current: CurrentRun = object(store, &pointer).await?;
            let layout = RunLayout::new(&current.run);
            Ok(Self {
                manifest: object(store, &current.manifest).await?,
                detections: rows(store, &layout.detections_jsonl()).await?,
                shots: rows(store, &layout.shots_jsonl()).await?,
            })
        })
    }

    /// Detections that belong to a track.
    pub(crate) fn track_updates(&self) -> u64 {
        self.detections.iter().filter(|row| row.track_id.is_some()).count() as u64
    }

    /// Everything that was detected, in order of time.
    pub(crate) fn detections(&self) -> &[DetectionRow] {
        &self.detections
    }

    /// Boxes with a track, by frame.
    pub(super) fn tracked(&self) -> Result<ByFrame<Identified>> {
        self.boxes(|_, row| row.track_id)
    }

    /// All boxes, each with an id of its own: what the detector found before anything was tracked.
    pub(super) fn detected(&self) -> Result<ByFrame<Identified>> {
        self.boxes(|number, _| Some(number))
    }

    fn boxes(&self, id: impl Fn(u32, &DetectionRow) -> Option<u32>) -> Result<ByFrame<Identified>> {
        let mut boxes = ByFrame::new();
        for (number, row) in (0..).zip(&self.detections) {
            let Some(id) = id(number, row) else { continue };
            let bbox = BBox::from_xyxy(row.bbox_xyxy.map(|v| v as f32))
                .with_context(|| format!("{} is no box", row.face_id))?;
            boxes.entry(row.frame_idx).or_insert_with(Vec::new).push(Identified { id, bbox });
        }
        Ok(boxes)
    }

    /// First frames of the shots, from 0.
    pub(crate) fn shot_starts(&self) -> Vec<u64> {
        self.shots.iter().map(|shot| shot.first_frame_idx).collect()
    }

    /// Refuses videos of a variable frame rate: which of their frames were sampled can't be told from numbers.
    pub(super) fn check_constant_rate(&self) -> Result<()> {
        let frames = self.manifest.video.frames;
        match self.shots.last() {
            Some(shot) if shot.last_frame_idx >= frames => bail!(
                "the video's frame rate is not constant (frame numbers up to {}, {frames} frames): it can't be judged",
                shot.last_frame_idx
            ),
            _ => Ok(()),
        }
    }

    /// The frames that the run was asked to look at, ascending. Frames that it took for their being the first of a
    /// shot are not among them: how many there are depends on the result.
    pub(super) fn sampled_frames(&self) -> Vec<u64> {
        let video = &self.manifest.video;
        let seen: BTreeSet<u64> = self.detections.iter().map(|row| row.frame_idx).collect();
        let settings = &self.manifest.settings.detect;
        let snap = u64::from(settings.stride_snap);
        let grid = grid(settings, video.timeline.fps.to_f64(), video.frames);
        grid.into_iter().map(|frame| nearest(&seen, frame, snap).unwrap_or(frame)).collect()
    }
}

/// First frame of each cell of the sampling grid, at a constant frame rate.
fn grid(settings: &DetectSettings, fps: f64, frames: u64) -> Vec<u64> {
    if settings.analyzed_fps <= 0.0 {
        return (0..frames).step_by(settings.stride.max(1) as usize).collect();
    }
    let cell = |frame: u64| (frame as f64 / fps * settings.analyzed_fps + 1e-3) as u64;
    (0..frames).filter(|&frame| frame == 0 || cell(frame) != cell(frame - 1)).collect()
}

/// The frame of `seen` nearest to `frame`, at most `reach` away.
fn nearest(seen: &BTreeSet<u64>, frame: u64, reach: u64) -> Option<u64> {
    let near = seen.range(frame.saturating_sub(reach)..=frame + reach);
    near.min_by_key(|other| other.abs_diff(frame)).copied()
}

/// The pointer of the one episode that the store holds.
async fn only_pointer(store: &dyn Store, url: &str) -> Result<ObjectKey> {
    let objects = store.list(EPISODES).await?;
    let mut pointers: Vec<ObjectKey> = objects
        .into_iter()
        .map(|object| object.key)
        .filter(|key| key.as_str().ends_with("/current.json"))
        .collect();
    match (pointers.pop(), pointers.len()) {
        (Some(pointer), 0) => Ok(pointer),
        (None, _) => bail!("{url} holds no finished run"),
        (Some(_), more) => bail!("{url} holds {} episodes: say which with --episode", more + 1),
    }
}

async fn object<T: DeserializeOwned>(store: &dyn Store, key: &ObjectKey) -> Result<T> {
    let bytes = store.get(key).await?;
    serde_json::from_slice(&bytes).with_context(|| format!("{key} is not as expected"))
}

async fn rows<T: DeserializeOwned>(store: &dyn Store, key: &ObjectKey) -> Result<Vec<T>> {
    let bytes = store.get(key).await?;
    let rows = serde_json::Deserializer::from_slice(&bytes).into_iter();
    rows.collect::<Result<_, _>>().with_context(|| format!("{key} is not as expected"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grid_follows_stride_or_rate() {
        let stride = DetectSettings { stride: 4, ..DetectSettings::default() };
        assert_eq!(grid(&stride, 24.0, 10), [0, 4, 8]);
        let rate = DetectSettings { analyzed_fps: 8.0, ..DetectSettings::default() };
        assert_eq!(grid(&rate, 24.0, 10), [0, 3, 6, 9]);
        assert_eq!(grid(&rate, 30.0, 12), [0, 4, 8, 12][..3]);
    }

    #[test]
    fn a_frame_that_moved_is_judged_where_it_went() {
        let seen = BTreeSet::from([4, 11]);
        assert_eq!(nearest(&seen, 6, 2), Some(4));
        assert_eq!(nearest(&seen, 6, 1), None);
        assert_eq!(nearest(&seen, 11, 0), Some(11));
    }
}
