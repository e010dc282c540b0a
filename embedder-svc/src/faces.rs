//! From chips to vectors: decode, align, embed.

use std::collections::BTreeMap;

use bytes::Bytes;
use facereel_domain::embedding::Embedding;
use facereel_domain::ids::SegmentIndex;
use facereel_domain::layout::RunLayout;
use facereel_domain::settings::PipelineSettings;
use facereel_imaging::align::{AlignedFace, align_face};
use facereel_imaging::jpeg;
use facereel_inference::FaceEmbedder;
use facereel_messages::objects::FaceToEmbed;
use facereel_service::{StageContext, StageError};
use facereel_store::Store;

use crate::quality_gates::{NOT_ALIGNABLE, refusing_gate};

/// The chips of a batch: of each segment's pack the stretch that holds them.
pub(crate) struct Chips {
    stretches: BTreeMap<SegmentIndex, (u64, Bytes)>,
}

impl Chips {
    /// Reads what `faces` need, one read for each segment.
    pub(crate) async fn read(
        store: &dyn Store,
        layout: &RunLayout,
        faces: &[FaceToEmbed],
    ) -> Result<Self, StageError> {
        let mut ranges: BTreeMap<SegmentIndex, (u64, u64)> = BTreeMap::new();
        for face in faces {
            let (start, end) = (face.chip.offset, face.chip.offset + u64::from(face.chip.len));
            let range = ranges.entry(face.segment).or_insert((start, end));
            *range = (range.0.min(start), range.1.max(end));
        }
        let mut stretches = BTreeMap::new();
        for (segment, (start, end)) in ranges {
            let bytes = store.get_range(&layout.chip_pack(segment), start..end).await?;
            stretches.insert(segment, (start, bytes));
        }
        Ok(Self { stretches })
    }

    fn jpeg(&self, face: &FaceToEmbed) -> Option<&[u8]> {
        let (start, bytes) = self.stretches.get(&face.segment)?;
        let at = usize::try_from(face.chip.offset.checked_sub(*start)?).ok()?;
        bytes.get(at..at + face.chip.len as usize)
    }
}

/// A vector for each face, or the gate that refused it. One vector per face: gate and manifests share it.
pub(crate) fn embed_faces(
    faces: &[FaceToEmbed],
    chips: &Chips,
    (embedder, settings): (&mut dyn FaceEmbedder, &PipelineSettings),
    context: &StageContext,
) -> Result<Vec<Result<Embedding, String>>, StageError> {
    let mut outcomes = Vec::with_capacity(faces.len());
    // Cut from the batch's content, so that what goes through the model together does not depend on timing.
    for group in faces.chunks(settings.embed.batch_size.max(1) as usize) {
        context.check_shutdown()?;
        context.cpu.pace();
        let prepared: Vec<Result<AlignedFace, &str>> = group
            .iter()
            .map(|face| match refusing_gate(face, &settings.quality) {
                Some(gate) => Err(gate),
                None => aligned(face, chips).ok_or(NOT_ALIGNABLE),
            })
            .collect();
        let inputs: Vec<AlignedFace> = prepared.iter().filter_map(|p| p.as_ref().ok().cloned()).collect();
        let vectors = if inputs.is_empty() { Vec::new() } else { embed(embedder, &inputs)? };
        let mut vectors = vectors.into_iter();
        for face in prepared {
            outcomes.push(match face {
                Err(gate) => Err(gate.to_owned()),
                Ok(_) => vectors.next().ok_or_else(|| NOT_ALIGNABLE.to_owned()),
            });
        }
    }
    Ok(outcomes)
}

fn embed(embedder: &mut dyn FaceEmbedder, inputs: &[AlignedFace]) -> Result<Vec<Embedding>, StageError> {
    embedder.embed(inputs).map_err(|e| StageError::permanent("the embedder failed", e))
}

fn aligned(face: &FaceToEmbed, chips: &Chips) -> Option<AlignedFace> {
    let chip = jpeg::decode(chips.jpeg(face)?).ok()?;
    let [x, y] = face.chip.origin_px;
    let landmarks = face.landmarks.mapped(-(x as f32), -(y as f32), face.chip.scale);
    align_face(&chip, &landmarks)
}
