//! Which faces are exported as pictures, and copying them out of the chip packs: no second decode, no second JPEG.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use facereel_domain::ids::{FaceId, SegmentIndex, TrackId};
use facereel_domain::layout::{ObjectKey, RunLayout};
use facereel_domain::pipeline::Stage as StageName;
use facereel_domain::settings::{CropSettings, ExportSettings};
use facereel_domain::spread::{View, best_spread};
use facereel_service::{Progress, StageContext, StageError};
use facereel_store::Store;
use tokio::task::JoinSet;

use crate::assemble::{Assembled, FinalTrack};
use crate::commit::Artifact;

/// Exported faces and their crops' paths relative to the run's folder.
pub type CropPaths = BTreeMap<FaceId, String>;

/// The faces to export, and which track each belongs to.
pub(crate) fn choose(assembled: &Assembled, settings: &CropSettings) -> BTreeMap<FaceId, TrackId> {
    let of_track = |track: &FinalTrack| {
        let id = track.id;
        let sights = sights(assembled, track);
        let places = if settings.skip > 0 {
            one_in(settings.skip, id, sights.len())
        } else {
            let views: Vec<View> = sights.iter().map(|(_, view)| *view).collect();
            best_spread(&views, settings.per_track as usize)
        };
        places.into_iter().map(move |place| (sights[place].0, id)).collect::<Vec<_>>()
    };
    assembled.finals.iter().flat_map(of_track).collect()
}

/// The track's faces that have a chip of their own; if none has, those that share one.
fn sights(assembled: &Assembled, track: &FinalTrack) -> Vec<(FaceId, View)> {
    let timeline = assembled.tracks.video.timeline;
    let with_chip: Vec<(FaceId, View, bool)> = track
        .observations
        .iter()
        .filter_map(|id| {
            let (frame, face) = assembled.face(*id)?;
            face.detection.chip?;
            let score = face.detection.quality.map_or(0.0, |q| q.score);
            Some((*id, View { ts: timeline.seconds(frame.pts), score }, frame.reused))
        })
        .collect();
    let all_reused = with_chip.iter().all(|(_, _, reused)| *reused);
    let kept = with_chip.into_iter().filter(|(_, _, reused)| all_reused || !reused);
    kept.map(|(id, view, _)| (id, view)).collect()
}

/// One observation in `skip`, staggered by the track's number so that crops of a crowd do not come all from one frame;
/// always at least one.
fn one_in(skip: u32, track: TrackId, sights: usize) -> Vec<usize> {
    let (skip, offset) = (skip as usize, track.index());
    let places: Vec<usize> = (0..sights).filter(|place| (place + offset).is_multiple_of(skip)).collect();
    if places.is_empty() && sights > 0 { vec![0] } else { places }
}

/// Copies the chosen faces' chips to their places; the artifacts in order of segment, frame and ordinal.
pub(crate) async fn copy(
    layout: &RunLayout,
    assembled: &Assembled,
    chosen: &BTreeMap<FaceId, TrackId>,
    (settings, context): (&ExportSettings, &StageContext),
) -> Result<(CropPaths, Vec<Artifact>), StageError> {
    let (parts, units) = (1, chosen.len() as u64);
    context.progress.report(Progress::Expected { stage: StageName::Export, parts, units });
    let mut paths = CropPaths::new();
    let mut artifacts = Vec::with_capacity(chosen.len());
    for (segment, places) in by_segment(assembled, chosen) {
        let (start, end) = span(&places);
        let pack = context.store.get_range(&layout.chip_pack(segment), start..end).await?;
        // Bounded: no more than the queue's depth is on its way at once.
        for group in places.chunks(settings.queue_depth.max(1) as usize) {
            context.check_shutdown()?;
            let mut objects: Vec<(ObjectKey, Bytes)> = Vec::with_capacity(group.len());
            for place in group {
                let (key, path) = layout.crop(chosen[&place.id], place.id.frame_idx);
                let at = (place.offset - start) as usize;
                let bytes = pack.slice(at..at + place.len as usize);
                artifacts.push(Artifact::of(path.clone(), &bytes));
                paths.insert(place.id, path);
                objects.push((key, bytes));
            }
            put_side_by_side(&context.store, objects, settings.workers).await?;
            let units = group.len() as u64;
            context.progress.report(Progress::Advanced { stage: StageName::Export, units });
        }
    }
    Ok((paths, artifacts))
}

/// Writes `objects` with so many writers at once.
async fn put_side_by_side(
    store: &Arc<dyn Store>,
    mut objects: Vec<(ObjectKey, Bytes)>,
    writers: u32,
) -> Result<(), StageError> {
    let share = objects.len().div_ceil(writers.max(1) as usize).max(1);
    let mut writing = JoinSet::new();
    while !objects.is_empty() {
        let rest = objects.split_off(objects.len().min(share));
        let part = std::mem::replace(&mut objects, rest);
        let store = Arc::clone(store);
        writing.spawn(async move { store.put_all(part).await });
    }
    while let Some(written) = writing.join_next().await {
        written.map_err(|e| StageError::transient("a writer of crops failed", e))??;
    }
    Ok(())
}

/// Where a chosen face's chip lies in its pack.
struct ChipPlace {
    id: FaceId,
    offset: u64,
    len: u32,
}

fn by_segment(
    assembled: &Assembled,
    chosen: &BTreeMap<FaceId, TrackId>,
) -> BTreeMap<SegmentIndex, Vec<ChipPlace>> {
    let mut segments: BTreeMap<SegmentIndex, Vec<ChipPlace>> = BTreeMap::new();
    for id in chosen.keys() {
        if let Some((frame, face)) = assembled.face(*id)
            && let Some(chip) = face.detection.chip
        {
            let place = ChipPlace { id: *id, offset: chip.offset, len: chip.len };
            segments.entry(frame.segment).or_default().push(place);
        }
    }
    segments
}

/// First byte and end of the stretch that holds all of `places`.
fn span(places: &[ChipPlace]) -> (u64, u64) {
    let start = places.iter().map(|p| p.offset).min().unwrap_or(0);
    let end = places.iter().map(|p| p.offset + u64::from(p.len)).max().unwrap_or(0);
    (start, end)
}
