//! One ONNX Runtime session: options, shape checks, and a run that hands its outputs out as plain slices.
//!
//! Sessions are what a process needs most of its memory for, and loading one takes about twice what it keeps. So sessions
//! are opened one after another: what loading the first leaves free serves the second. Models come from files, which ONNX
//! Runtime reads in pieces; a model in memory would be there three times while it is loaded.

use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};

use facereel_domain::settings::Provider;
use ort::ep::cuda::ConvAlgorithmSearch;
use ort::ep::{self, ExecutionProviderDispatch};
use ort::session::Session;
use ort::session::builder::{GraphOptimizationLevel, SessionBuilder};
use ort::value::{TensorElementType, TensorRef, ValueType};

use crate::{InferenceError, Model, Runtime};

/// Held while a session is opened.
static OPENING: Mutex<()> = Mutex::new(());

/// An output: its dimensions and its numbers, row-major.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TensorView<'a> {
    pub(crate) shape: &'a [i64],
    pub(crate) data: &'a [f32],
}

/// An output that a head can't read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ShapeMismatch {
    pub(crate) place: String,
    pub(crate) expected: String,
    pub(crate) actual: String,
}

impl ShapeMismatch {
    /// The same, of `place`.
    pub(crate) fn named(self, place: &str) -> Self {
        Self { place: place.to_owned(), ..self }
    }

    /// The same, of the output `name` of a level.
    pub(crate) fn at(self, name: &str, stride: u32) -> Self {
        self.named(&format!("{name} at stride {stride}"))
    }
}

impl TensorView<'_> {
    /// The numbers, where there are `rows x columns` of them and `columns` is the last dimension.
    pub(crate) fn rows(&self, rows: usize, columns: usize) -> Result<&[f32], ShapeMismatch> {
        if self.shape.last() == Some(&(columns as i64)) && self.data.len() == rows * columns {
            return Ok(self.data);
        }
        Err(self.mismatch(format!("{rows} rows of {columns}")))
    }

    pub(crate) fn mismatch(&self, expected: String) -> ShapeMismatch {
        ShapeMismatch { place: String::new(), expected, actual: format!("{:?}", self.shape) }
    }
}

/// Where a run's intermediate results live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scratch {
    /// In the session's own pool: fastest, but the pool grows by powers of two, weights included, and never shrinks. For
    /// models whose inputs come in several sizes: in the heap, their tensors leave holes (a fifth more memory after 40
    /// minutes of video than after ten, and 7 % more time).
    Pooled,
    /// In the process's heap, which others use between the runs. It costs `SFace` 2 % of the time.
    Heap,
}

/// A session, and what its errors say of it.
pub(crate) struct ModelSession {
    session: Session,
    model: String,
    provider: Provider,
}

impl ModelSession {
    /// A session over `model` with `threads` threads inside of an operator.
    pub(crate) fn open<S>(
        runtime: &Runtime,
        model: &Model<S>,
        threads: NonZeroUsize,
        scratch: Scratch,
    ) -> Result<Self, InferenceError> {
        let provider = runtime.provider();
        let refused = |reason: String| {
            let (model, reason) = (model.identity.name.clone(), one_line(&reason));
            match provider {
                Provider::Cpu => InferenceError::Model { model, reason },
                // The file is one that was verified: it is the card, its driver or a library of CUDA's.
                Provider::Cuda => InferenceError::Cuda { model, reason },
            }
        };
        let _alone = OPENING.lock().unwrap_or_else(PoisonError::into_inner);
        let session = builder(runtime, threads, scratch)
            .and_then(|mut builder| builder.commit_from_file(model.path()))
            .map_err(|e| refused(e.to_string()))?;
        Ok(Self { session, model: model.identity.name.clone(), provider })
    }

    /// Dimensions of the one input, -1 where free; it must be an image batch `[n, 3, height, width]` of floats.
    pub(crate) fn image_input(&self) -> Result<[i64; 4], InferenceError> {
        let wanted = "one float image batch [n, 3, height, width]";
        let [input] = self.session.inputs() else {
            return Err(self.mismatch(ShapeMismatch {
                place: "the input".to_owned(),
                expected: wanted.to_owned(),
                actual: format!("{} inputs", self.session.inputs().len()),
            }));
        };
        if let ValueType::Tensor { ty: TensorElementType::Float32, shape, .. } = input.dtype()
            && let &[n, channels @ (3 | -1), height, width] = &shape[..]
        {
            return Ok([n, channels, height, width]);
        }
        Err(self.mismatch(ShapeMismatch {
            place: format!("input {}", input.name()),
            expected: wanted.to_owned(),
            actual: format!("{:?}", input.dtype()),
        }))
    }

    /// Numbers a row of the one output, which must be a table `[n, length]` of floats whose length the file declares.
    pub(crate) fn vector_length(&self) -> Result<usize, InferenceError> {
        let mismatch = |place: String, actual: String| {
            let expected = "one float vector an image, [n, length], its length declared".to_owned();
            self.mismatch(ShapeMismatch { place, expected, actual })
        };
        let [output] = self.session.outputs() else {
            return Err(mismatch("the output".to_owned(), format!("{} outputs", self.output_count())));
        };
        if let ValueType::Tensor { ty: TensorElementType::Float32, shape, .. } = output.dtype()
            && let &[_, length @ (1..)] = &shape[..]
            && let Ok(length) = usize::try_from(length)
        {
            return Ok(length);
        }
        Err(mismatch(format!("output {}", output.name()), format!("{:?}", output.dtype())))
    }

    /// How many outputs a run gives.
    pub(crate) fn output_count(&self) -> usize {
        self.session.outputs().len()
    }

    /// Runs the model and reads its outputs, in the model's order.
    pub(crate) fn run<T>(
        &mut self,
        input: TensorRef<'_, f32>,
        read: impl FnOnce(&[TensorView<'_>]) -> Result<T, ShapeMismatch>,
    ) -> Result<T, InferenceError> {
        let Self { session, model, provider } = self;
        let failed = |reason: String| {
            let (model, reason) = (model.clone(), one_line(&reason));
            match *provider {
                Provider::Cpu => InferenceError::Run { model, reason },
                Provider::Cuda => InferenceError::Cuda { model, reason },
            }
        };
        let outputs = session.run(ort::inputs![input]).map_err(|e| failed(e.to_string()))?;
        let values: Vec<_> = outputs.values().collect();
        let views = values
            .iter()
            .map(|value| {
                let (shape, data) = value.try_extract_tensor::<f32>().map_err(|e| failed(e.to_string()))?;
                Ok(TensorView { shape, data })
            })
            .collect::<Result<Vec<_>, InferenceError>>()?;
        read(&views).map_err(|m| mismatch_in(model, m))
    }

    /// A failed run of this model.
    pub(crate) fn failed(&self, reason: &str) -> InferenceError {
        InferenceError::Run { model: self.model.clone(), reason: one_line(reason) }
    }

    /// The mismatch as an error of this model.
    pub(crate) fn mismatch(&self, mismatch: ShapeMismatch) -> InferenceError {
        mismatch_in(&self.model, mismatch)
    }
}

/// Options that every session has. Spinning threads would burn the cores that other workers need. Quantised weights are
/// multiplied out once on loading (`with_quant_qdq(false)`): on CPUs the fused integer operators are several times slower.
fn builder(runtime: &Runtime, threads: NonZeroUsize, scratch: Scratch) -> ort::Result<SessionBuilder> {
    let cpu = ep::CPU::default().with_arena_allocator(scratch == Scratch::Pooled).build();
    let builder = Session::builder(runtime.environment())?;
    let builder = match runtime.provider() {
        Provider::Cpu => builder.with_execution_providers([cpu])?,
        Provider::Cuda => {
            builder.with_deterministic_compute(true)?.with_execution_providers([cuda(), cpu])?
        }
    };
    Ok(builder
        .with_optimization_level(GraphOptimizationLevel::All)?
        .with_intra_threads(threads.get())?
        .with_inter_threads(1)?
        .with_intra_op_spinning(false)?
        .with_inter_op_spinning(false)?
        .with_quant_qdq(false)?)
}

/// CUDA, or an error: by itself ONNX Runtime would go on with the CPU. Its own choice among algorithms for convolutions is
/// the one that was fastest just now, and TF32 keeps ten bits of each factor: neither gives the same digits again. Single
/// operators that it has no CUDA code for run on the CPU all the same, always the same ones.
fn cuda() -> ExecutionProviderDispatch {
    ep::CUDA::default()
        .with_conv_algorithm_search(ConvAlgorithmSearch::Default)
        .with_tf32(false)
        .build()
        .error_on_failure()
}

fn mismatch_in(model: &str, mismatch: ShapeMismatch) -> InferenceError {
    let ShapeMismatch { place, expected, actual } = mismatch;
    InferenceError::Shape { model: model.to_owned(), place, expected, actual }
}

/// ONNX Runtime's messages hold line breaks; ours stay on a line.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
