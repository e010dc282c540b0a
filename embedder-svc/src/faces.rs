//! From chips to vectors: decode, align, embed.

use std::collections::BTreeMap;
use std::time::Instant;

use bytes::Bytes;
use facereel_domain::embedding::Embedding;
use facereel_domain::ids::SegmentIndex;
use facereel_domain::layout::RunLayout;
use facereel_domain::settings::PipelineSettings;
use facereel_imaging::align::{AlignedFace, align_face};
use facereel_imaging::jpeg;
use facereel_inference::FaceEmbedder;
use facereel_messages::objects::FaceToEmbed;
use facereel_service::{Measure, ModelRole, StageContext, StageError};
use facereel_store::Store;

use crate::embedders::model_failure;
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
                None => chips.jpeg(face).and_then(|chip| aligned_face(face, chip)).ok_or(NOT_ALIGNABLE),
            })
            .collect();
        let inputs: Vec<AlignedFace> = prepared.iter().filter_map(|p| p.as_ref().ok().cloned()).collect();
        let began = Instant::now();
        let vectors = if inputs.is_empty() { Vec::new() } else { embed(embedder, &inputs)? };
        if !vectors.is_empty() {
            let (model, time) = (ModelRole::Embedder, began.elapsed());
            context.progress.measure(Measure::FacesEmbedded(vectors.len() as u64));
            context.progress.measure(Measure::Inference { model, runs: 1, time });
        }
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
    embedder.embed(inputs).map_err(|e| model_failure("the embedder failed", e))
}

/// The face in its chip (a JPEG), aligned; `None` where the JPEG is damaged or the landmarks lie on one point.
#[must_use]
pub fn aligned_face(face: &FaceToEmbed, chip: &[u8]) -> Option<AlignedFace> {
    let chip = jpeg::decode(chip).ok()?;
    let [x, y] = face.chip.origin_px;
    let landmarks = face.landmarks.mapped(-(x as f32), -(y as f32), face.chip.scale);
    align_face(&chip, &landmarks)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::staged::face;
    use facereel_domain::geometry::{Landmarks, Point, Size};
    use facereel_domain::ids::RunRef;
    use facereel_imaging::RgbImage;
    use facereel_inference::InferenceError;
    use facereel_service::ComputePool;
    use facereel_service::cpu::CpuLimit;
    use facereel_service::progress::NoProgress;
    use facereel_store::MemoryStore;
    use tokio_util::sync::CancellationToken;

    /// Gives the n-th face the n-th angle and notes how many came together.
    #[derive(Default)]
    struct Counting {
        groups: Vec<usize>,
    }

    impl FaceEmbedder for Counting {
        fn embed(&mut self, faces: &[AlignedFace]) -> Result<Vec<Embedding>, InferenceError> {
            let before: usize = self.groups.iter().sum();
            self.groups.push(faces.len());
            Ok((before..before + faces.len()).map(vector).collect())
        }

        fn dim(&self) -> usize {
            2
        }
    }

    fn vector(number: usize) -> Embedding {
        Embedding::normalized(vec![1.0, number as f32]).unwrap()
    }

    fn context(store: Arc<dyn Store>) -> StageContext {
        StageContext {
            store,
            compute: ComputePool::new("test", 1).unwrap(),
            cpu: Arc::new(CpuLimit::new(0)),
            progress: Arc::new(NoProgress),
            shutdown: CancellationToken::new(),
        }
    }

    fn chip() -> Vec<u8> {
        let size = Size { width: 112, height: 112 };
        let image = RgbImage::new(size, (0..112 * 112 * 3).map(|i| (i % 251) as u8).collect()).unwrap();
        jpeg::encode(&image, 90).unwrap()
    }

    fn layout() -> RunLayout {
        RunLayout::new(&RunRef { ep_id: "A".parse().unwrap(), run_id: "0123456789abcdef".parse().unwrap() })
    }

    /// What becomes of `faces`, whose chips lie one after the other in the pack (`None`: garbage of the same length),
    /// and how many faces went through the model at once.
    async fn embedded(
        mut faces: Vec<FaceToEmbed>,
        chips: &[Option<Vec<u8>>],
    ) -> (Vec<Result<Embedding, String>>, Vec<usize>) {
        let mut pack = vec![0xaa; 100];
        for (face, bytes) in faces.iter_mut().zip(chips) {
            let bytes = bytes.clone().unwrap_or_else(|| vec![0x55; 500]);
            (face.chip.offset, face.chip.len) = (pack.len() as u64, bytes.len() as u32);
            pack.extend(bytes);
        }
        let store: Arc<dyn Store> = Arc::new(MemoryStore::default());
        store.put(&layout().chip_pack(SegmentIndex(0)), Bytes::from(pack)).await.unwrap();
        let chips = Chips::read(store.as_ref(), &layout(), &faces).await.unwrap();
        let mut settings = PipelineSettings::default();
        settings.embed.batch_size = 2;
        let mut embedder = Counting::default();
        let outcomes = embed_faces(&faces, &chips, (&mut embedder, &settings), &context(store)).unwrap();
        (outcomes, embedder.groups)
    }

    #[tokio::test]
    async fn every_good_face_goes_through_the_model_once_and_in_order() {
        let (outcomes, groups) = embedded((0..5).map(face).collect(), &vec![Some(chip()); 5]).await;
        assert_eq!(outcomes, (0..5).map(|n| Ok(vector(n))).collect::<Vec<_>>());
        assert_eq!(groups, [2, 2, 1]);
    }

    #[tokio::test]
    async fn refused_faces_never_reach_the_model_and_shift_nobody() {
        let mut faces: Vec<_> = (0..4).map(face).collect();
        faces[1].quality.sharpness = 0.0;
        faces[2].short_side_px = 3.0;
        let (outcomes, groups) = embedded(faces, &vec![Some(chip()); 4]).await;
        let refused = |gate: &str| Err(gate.to_owned());
        assert_eq!(outcomes, [Ok(vector(0)), refused("blurred"), refused("too_small"), Ok(vector(1))]);
        assert_eq!(groups, [1, 1]);
    }

    #[tokio::test]
    async fn a_damaged_chip_costs_its_own_face_only() {
        let (outcomes, _) =
            embedded(vec![face(0), face(6), face(12)], &[Some(chip()), None, Some(chip())]).await;
        assert_eq!(outcomes, [Ok(vector(0)), Err(NOT_ALIGNABLE.to_owned()), Ok(vector(1))]);
    }

    #[tokio::test]
    async fn landmarks_on_one_point_can_not_be_aligned() {
        let mut flat = face(0);
        flat.landmarks = Landmarks([Point { x: 350.0, y: 250.0 }; 5]);
        let (outcomes, groups) = embedded(vec![flat], &[Some(chip())]).await;
        assert_eq!(outcomes, [Err(NOT_ALIGNABLE.to_owned())]);
        assert!(groups.is_empty(), "{groups:?}");
    }

    #[tokio::test]
    async fn chips_that_the_pack_does_not_hold_are_an_error_of_the_store() {
        let store = MemoryStore::default();
        store.put(&layout().chip_pack(SegmentIndex(0)), Bytes::from_static(b"short")).await.unwrap();
        let mut beyond = face(0);
        beyond.chip.len = 100;
        assert!(Chips::read(&store, &layout(), &[beyond]).await.is_err());
    }
}
