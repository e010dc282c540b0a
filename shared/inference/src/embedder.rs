//! Face embedders: aligned faces in, unit vectors out.

use std::num::NonZeroUsize;

use facereel_domain::embedding::Embedding;
use facereel_domain::geometry::Size;
use facereel_imaging::align::{ALIGNED_SIDE, AlignedFace};

use crate::input::InputBuffer;
use crate::session::{ModelSession, Scratch, ShapeMismatch};
use crate::spec::EmbedderSpec;
use crate::{InferenceError, Model, Runtime};

/// Makes vectors of faces. One a thread.
pub trait FaceEmbedder: Send {
    /// A unit vector for each face, in order. All go through the model at once, or one by one where it takes no more. How
    /// many there are may change a vector's last digits, since sums are then taken in another order: whoever cuts faces
    /// into batches must do it by settings that belong to the run, and by content alone.
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
    let session = ModelSession::open(runtime, model, threads, Scratch::Heap)?;
    let side = i64::from(ALIGNED_SIDE);
    let [batch, _, height, width] = session.image_input()?;
    if [height, width].iter().any(|v| ![side, -1].contains(v)) {
        return Err(session.mismatch(ShapeMismatch {
            place: "the input's height and width".to_owned(),
            expected: format!("{side} x {side}"),
            actual: format!("{height} x {width}"),
        }));
    }
    if ![1, -1].contains(&batch) {
        return Err(session.mismatch(ShapeMismatch {
            place: "the input's batch".to_owned(),
            expected: "free or 1".to_owned(),
            actual: batch.to_string(),
        }));
    }
    let dim = session.vector_length()?;
    if let Some(known) = model.spec.dim.filter(|known| *known != dim) {
        return Err(session.mismatch(ShapeMismatch {
            place: "the vector's length".to_owned(),
            expected: known.to_string(),
            actual: dim.to_string(),
        }));
    }
    let pixels = InputBuffer::new(model.spec.pixels);
    let most_at_once = if batch == 1 { 1 } else { usize::MAX };
    Ok(Box::new(OnnxEmbedder { session, pixels, most_at_once, dim }))
}

struct OnnxEmbedder {
    session: ModelSession,
    pixels: InputBuffer,
    /// Faces that the model takes at once.
    most_at_once: usize,
    dim: usize,
}

impl FaceEmbedder for OnnxEmbedder {
    fn embed(&mut self, faces: &[AlignedFace]) -> Result<Vec<Embedding>, InferenceError> {
        let mut embeddings = Vec::with_capacity(faces.len());
        for batch in faces.chunks(self.most_at_once) {
            let vectors = self.run(batch)?;
            for vector in vectors.chunks_exact(self.dim) {
                let embedding = Embedding::normalized(vector.to_vec());
                embeddings.push(embedding.map_err(|e| self.session.failed(&e.to_string()))?);
            }
        }
        Ok(embeddings)
    }

    fn dim(&self) -> usize {
        self.dim
    }
}

impl OnnxEmbedder {
    /// What the model says of `batch`: `dim` numbers a face.
    fn run(&mut self, batch: &[AlignedFace]) -> Result<Vec<f32>, InferenceError> {
        let Self { session, pixels, dim, .. } = self;
        let size = Size { width: ALIGNED_SIDE, height: ALIGNED_SIDE };
        let images = batch.iter().map(AlignedFace::image);
        let input = pixels.fill_batch(images, (size, size)).map_err(|e| session.failed(&e.to_string()))?;
        session.run(input, |outputs| match outputs {
            [vectors] => Ok(vectors.rows(batch.len(), *dim).map_err(|m| m.named("the vectors"))?.to_vec()),
            other => Err(ShapeMismatch {
                place: "the number of outputs".to_owned(),
                expected: "1".to_owned(),
                actual: other.len().to_string(),
            }),
        })
    }
}
