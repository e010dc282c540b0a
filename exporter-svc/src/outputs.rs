//! Everything that is written beside the crops, as bytes.

use bytes::Bytes;
use facereel_domain::ids::EpisodeId;
use facereel_domain::layout::{ObjectKey, RunLayout};
use facereel_messages::objects::{ModelRecord, RunRequest};
use facereel_service::StageError;
use serde::Serialize;

use crate::assemble::Assembled;
use crate::commit::{Artifact, ManifestCounts, to_pretty_json};
use crate::crops::CropPaths;
use crate::manifests::{crop_indices, detection_rows, face_rows, shot_rows, to_jsonl, track_rows};
use crate::{metrics, npy};

/// Files to write, their entries in the manifest, and the counts.
pub(crate) struct Outputs {
    pub(crate) objects: Vec<(ObjectKey, Bytes)>,
    pub(crate) artifacts: Vec<Artifact>,
    pub(crate) counts: ManifestCounts,
}

impl Outputs {
    /// All outputs of an episode.
    pub(crate) fn of(
        request: &RunRequest,
        assembled: &Assembled,
        crops: &CropPaths,
        dim: usize,
    ) -> Result<Self, StageError> {
        let layout = RunLayout::new(&request.run);
        let ep_id: &EpisodeId = &request.run.ep_id;
        let model =
            request.models.iter().find(|m| m.role == ModelRecord::EMBEDDER).map_or("", |m| m.name.as_str());
        let mut outputs = Self {
            objects: Vec::new(),
            artifacts: Vec::new(),
            counts: ManifestCounts {
                shots: assembled.tracks.shots.len() as u64,
                frames_analysed: assembled.tracks.frames.len() as u64,
                tracks: assembled.finals.len() as u64,
                crops: crops.len() as u64,
                ..ManifestCounts::default()
            },
        };
        let detections = detection_rows(ep_id, assembled);
        let (faces, face_vectors) = face_rows(ep_id, assembled, crops, model);
        let (tracks, track_vectors) = track_rows(ep_id, assembled, crops, model);
        outputs.counts.detections = detections.len() as u64;
        outputs.counts.faces = faces.len() as u64;
        outputs.counts.embeddings = face_vectors.len() as u64;
        outputs.add_rows(&layout, layout.detections_jsonl(), &detections)?;
        outputs.add_rows(&layout, layout.tracks_jsonl(), &tracks)?;
        outputs.add_rows(&layout, layout.faces_jsonl(), &faces)?;
        outputs.add_rows(&layout, layout.shots_jsonl(), &shot_rows(ep_id, assembled))?;
        outputs.add_vectors(&layout, layout.faces_npy(), (&face_vectors, dim))?;
        outputs.add_vectors(&layout, layout.tracks_npy(), (&track_vectors, dim))?;
        let judged = metrics::judge(ep_id.as_str(), assembled, &request.pipeline.track);
        outputs.add(&layout, layout.track_metrics(), (to_pretty_json(&judged)?, None));
        for (track, index) in crop_indices(ep_id, assembled, crops) {
            let rows = index.crops.len() as u64;
            outputs.add(&layout, layout.crop_index(track), (to_pretty_json(&index)?, Some(rows)));
        }
        Ok(outputs)
    }

    fn add_rows<T: Serialize>(
        &mut self,
        layout: &RunLayout,
        key: ObjectKey,
        rows: &[T],
    ) -> Result<(), StageError> {
        let bytes =
            to_jsonl(rows).map_err(|e| StageError::permanent(format!("{key} can't be written"), e))?;
        self.add(layout, key, (Bytes::from(bytes), Some(rows.len() as u64)));
        Ok(())
    }

    fn add_vectors(
        &mut self,
        layout: &RunLayout,
        key: ObjectKey,
        (vectors, dim): (&[&[f32]], usize),
    ) -> Result<(), StageError> {
        let bytes = npy::encode(vectors.iter().copied(), dim)
            .map_err(|e| StageError::permanent(format!("{key} can't be written"), e))?;
        self.add(layout, key, (Bytes::from(bytes), Some(vectors.len() as u64)));
        Ok(())
    }

    fn add(&mut self, layout: &RunLayout, key: ObjectKey, (bytes, rows): (Bytes, Option<u64>)) {
        let path = layout.relative(&key);
        self.artifacts.push(Artifact { rows, ..Artifact::of(path, &bytes) });
        self.objects.push((key, bytes));
    }
}
