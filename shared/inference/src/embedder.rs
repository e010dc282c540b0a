//! Face embedders: aligned faces in, unit vectors out.

use std::num::NonZeroUsize;

use facereel_domain::embedding::Embedding;
use facereel_imaging::align::{ALIGNED_SIDE, AlignedFace};

use crate::input::InputBuffer;
use crate::session::{ModelSession, Scratch, ShapeMismatch};
use crate::spec::EmbedderSpec;
use crate::{InferenceError, Model, Runtime};

/// Makes vectors of faces. One a thread.
pub trait FaceEmbedder: Send {
    /// A unit vector for each face, in order. Faces go through the model one by one: on CPUs a batch is no faster, takes more
    /// memory, and would let a vector's last digits depend on its neighbours.
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
    let pixels = InputBuffer::new(model.spec.pixels);
    Ok(Box::new(OnnxEmbedder { session, pixels, dim: model.spec.dim }))
}

struct OnnxEmbedder {
    session: ModelSession,
    pixels: InputBuffer,
    dim: usize,
}

impl FaceEmbedder for OnnxEmbedder {
    fn embed(&mut self, faces: &[AlignedFace]) -> Result<Vec<Embedding>, InferenceError> {
        faces.iter().map(|face| self.embed_one(face)).collect()
    }

    fn dim(&self) -> usize {
        self.dim
    }
}

impl OnnxEmbedder {
    fn embed_one(&mut self, face: &AlignedFace) -> Result<Embedding, InferenceError> {
        let (image, dim) = (face.image(), self.dim);
        let input = self.pixels.fill(image, image.size()).map_err(|e| self.session.failed(&e.to_string()))?;
        let raw = self.session.run(input, |outputs| match outputs {
            [vector] => Ok(vector.rows(1, dim).map_err(|m| m.named("the vector"))?.to_vec()),
            other => Err(ShapeMismatch {
                place: "the number of outputs".to_owned(),
                expected: "1".to_owned(),
                actual: other.len().to_string(),
            }),
        })?;
        Embedding::normalized(raw).map_err(|e| self.session.failed(&e.to_string()))
    }
}
