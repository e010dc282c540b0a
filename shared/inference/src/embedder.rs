//! Face embedders: aligned faces in, unit vectors out.

use std::num::NonZeroUsize;

use facereel_domain::embedding::Embedding;
use facereel_domain::geometry::Size;
use facereel_imaging::align::{ALIGNED_SIDE, AlignedFace};

use crate::input::ImageBatch;
use crate::session::{ModelSession, ShapeMismatch};
use crate::spec::EmbedderSpec;
use crate::{InferenceError, Model, Runtime};

/// Makes vectors of faces. One a thread.
pub trait FaceEmbedder: Send {
    /// A unit vector for each face, in order. All faces go through the model together: a batch's size decides memory (2 MB a
    /// face) and, in the last digits, the numbers, so that callers cut batches from the job, not from what is there.
    fn embed(&mut self, faces: &[AlignedFace]) -> Result<Vec<Embedding>, InferenceError>;

    /// Numbers a vector.
    fn dim(&self) -> usize;
}

/// An embedder with a session of its own, which uses `threads` threads.
pub fn open(
    runtime: &Runtime,
    model: &Model<EmbedderSpec>,
    threads: NonZeroUsize,
) -> Result<Box<dyn FaceEmbedder>, InferenceError> {
    let session = ModelSession::open(runtime, &model.identity.name, model.bytes(), threads)?;
    let side = i64::from(ALIGNED_SIDE);
    let [batch, _, height, width] = session.image_input()?;
    if [height, width].iter().any(|v| ![side, -1].contains(v)) {
        return Err(session.mismatch(ShapeMismatch {
            place: "the input's height and width".to_owned(),
            expected: format!("{side} x {side}"),
            actual: format!("{height} x {width}"),
        }));
    }
    let most_at_once = usize::try_from(batch).unwrap_or(usize::MAX).max(1);
    let pixels = ImageBatch::new(model.spec.pixels);
    Ok(Box::new(OnnxEmbedder {
        session,
        pixels,
        most_at_once,
        model: model.identity.name.clone(),
        dim: model.spec.dim,
    }))
}

struct OnnxEmbedder {
    session: ModelSession,
    pixels: ImageBatch,
    /// The batch that the file declares; no limit where it leaves it free.
    most_at_once: usize,
    model: String,
    dim: usize,
}

impl FaceEmbedder for OnnxEmbedder {
    fn embed(&mut self, faces: &[AlignedFace]) -> Result<Vec<Embedding>, InferenceError> {
        let mut vectors = Vec::with_capacity(faces.len());
        for batch in faces.chunks(self.most_at_once) {
            vectors.extend(self.embed_batch(batch)?);
        }
        Ok(vectors)
    }

    fn dim(&self) -> usize {
        self.dim
    }
}

impl OnnxEmbedder {
    fn embed_batch(&mut self, faces: &[AlignedFace]) -> Result<Vec<Embedding>, InferenceError> {
        let failed = |reason: String| InferenceError::Run { model: self.model.clone(), reason };
        let size = Size { width: ALIGNED_SIDE, height: ALIGNED_SIDE };
        let images: Vec<_> = faces.iter().map(AlignedFace::image).collect();
        let input = self.pixels.fill(&images, size, size).map_err(|e| failed(e.to_string()))?;
        let dim = self.dim;
        let raw = self.session.run(input, |outputs| match outputs {
            [vectors] => Ok(vectors.rows(faces.len(), dim).map_err(|m| m.named("the vectors"))?.to_vec()),
            other => Err(ShapeMismatch {
                place: "the number of outputs".to_owned(),
                expected: "1".to_owned(),
                actual: other.len().to_string(),
            }),
        })?;
        raw.chunks_exact(dim)
            .map(|row| Embedding::normalized(row.to_vec()).map_err(|e| failed(e.to_string())))
            .collect()
    }
}
