//! A run that this process can do: its request, and what doing it takes.

use std::sync::Arc;

use anyhow::Result;
use detector_svc::{Detectors, Sources, Trust};
use embedder_svc::Embedders;
use facereel_domain::ids::EpisodeId;
use facereel_domain::settings::{ModelSettings, PipelineSettings, Provider};
use facereel_inference::catalog::ModelsDir;
use facereel_inference::{InferenceError, Runtime};
use facereel_messages::objects::ModelRecord;
use facereel_service::StageError;
use facereel_settings::Resolved;

use crate::request::{Asked, Recipe, episode_of};

/// A run that is ready to be started.
pub(crate) struct Prepared {
    /// The run.
    pub(crate) asked: Asked,
    /// The video as named.
    pub(crate) video: String,
    /// Where the video comes from.
    pub(crate) sources: Sources,
    /// ONNX Runtime.
    pub(crate) runtime: Runtime,
    /// Where models lie.
    pub(crate) models: ModelsDir,
}

impl Prepared {
    /// Looks at the video (a path, `file:///…` or `s3://bucket/key`) and the models and names the run.
    pub(crate) async fn new(video: &str, episode: Option<EpisodeId>, resolved: Resolved) -> Result<Self> {
        let ep_id = episode.map_or_else(|| episode_of(video), Ok)?;
        let process = &resolved.settings.runtime;
        let sources = Sources::new(process, Trust::CommandLine)?;
        let (runtime, models) = load_models(&process.models)?;
        let recipe = Recipe::new(Arc::new(resolved), &models)?;
        let asked = recipe.ask(&sources, video, ep_id).await?;
        try_models(&runtime, &models, recipe.models(), &asked.request.pipeline)?;
        Ok(Self { asked, video: video.to_owned(), sources, runtime, models })
    }
}

/// ONNX Runtime and the folder of the models.
pub(crate) fn load_models(settings: &ModelSettings) -> Result<(Runtime, ModelsDir), InferenceError> {
    Runtime::from_settings(settings)
}

/// Opens models of the user's own once, and all that are to run on a graphics card: what can't be used is found now and
/// not when its stage begins. Those of the catalog are known to open on the CPU.
fn try_models(
    runtime: &Runtime,
    models: &ModelsDir,
    records: &[ModelRecord],
    pipeline: &PipelineSettings,
) -> Result<(), StageError> {
    let PipelineSettings { detect, embed, .. } = pipeline;
    if !detect.model_file.is_empty() || detect.provider != Provider::Cpu {
        Detectors::new(runtime.clone(), models.clone()).take(detect, records)?;
    }
    if embed.enabled && (!embed.model_file.is_empty() || embed.provider != Provider::Cpu) {
        Embedders::new(runtime.clone(), models.clone()).take(embed, records)?;
    }
    Ok(())
}
