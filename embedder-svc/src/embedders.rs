//! The embedders that jobs ask for: opened once for each thread that uses them, kept for the next job.

use std::num::NonZeroUsize;

use facereel_domain::settings::{EmbedSettings, GateSettings};
use facereel_inference::catalog::{CatalogError, CustomModel, ModelsDir, open_custom, open_embedder};
use facereel_inference::{EmbedderSpec, FaceEmbedder, GateThresholds, Model, PixelFormat, Runtime, embedder};
use facereel_messages::objects::ModelRecord;
use facereel_service::StageError;
use facereel_service::idle::{IdlePool, Loan};

use crate::gate::GateRules;

/// What makes two embedders interchangeable, as text.
type Key = String;

/// An embedder and the appearance gate's thresholds that were found for it.
pub struct OpenEmbedder {
    /// The embedder.
    pub embedder: Box<dyn FaceEmbedder>,
    /// Its thresholds.
    pub gate: GateThresholds,
}

/// A source of embedders.
pub struct Embedders {
    runtime: Runtime,
    models: ModelsDir,
    idle: IdlePool<Key, OpenEmbedder>,
}

impl Embedders {
    /// Embedders whose models lie in `models`.
    #[must_use]
    pub fn new(runtime: Runtime, models: ModelsDir) -> Self {
        Self { runtime, models, idle: IdlePool::default() }
    }

    /// The embedder that `settings` ask for, for one thread. It must be the one that the run was asked for with.
    pub fn take(
        &self,
        settings: &EmbedSettings,
        records: &[ModelRecord],
    ) -> Result<Loan<Key, OpenEmbedder>, StageError> {
        self.idle.take_or(&key(settings), || {
            let model = open_model(&self.models, settings)
                .map_err(|e| StageError::permanent("the embedder's model can't be used", e))?;
            let recorded = records.iter().find(|record| record.role == ModelRecord::EMBEDDER);
            if recorded.is_none_or(|record| record.sha256 != model.identity.sha256) {
                return Err(StageError::refused(format!(
                    "the run asks for another file of the embedder '{}' than this worker has (digest {})",
                    settings.model, model.identity.sha256
                )));
            }
            let embedder = embedder::open(&self.runtime, &model, NonZeroUsize::MIN)
                .map_err(|e| StageError::permanent("the embedder can't be started", e))?;
            Ok(OpenEmbedder { embedder, gate: model.spec.gate })
        })
    }
}

/// How a run records the embedder that `settings` ask for.
pub fn record(models: &ModelsDir, settings: &EmbedSettings) -> Result<ModelRecord, CatalogError> {
    let identity = open_model(models, settings)?.identity;
    let role = ModelRecord::EMBEDDER.to_owned();
    Ok(ModelRecord { role, name: identity.name, sha256: identity.sha256, licence: identity.licence })
}

/// The appearance gate's rules: the settings', or where they are 0 the values recorded with the embedder.
#[must_use]
pub(crate) fn gate_rules(gate: &GateSettings, recorded: GateThresholds) -> GateRules {
    let or_recorded = |set: f32, recorded: f32| if set == 0.0 { recorded } else { set };
    GateRules {
        hard: or_recorded(gate.hard, recorded.hard),
        soft: or_recorded(gate.soft, recorded.soft),
        streak: gate.streak.max(1) as usize,
        momentum: gate.momentum,
    }
}

fn open_model(models: &ModelsDir, settings: &EmbedSettings) -> Result<Model<EmbedderSpec>, CatalogError> {
    if settings.model_file.is_empty() {
        return open_embedder(models, &settings.model);
    }
    let custom =
        CustomModel { path: settings.model_file.clone().into(), sha256: settings.model_sha256.parse().ok() };
    open_custom(&custom, arcface_spec())
}

/// A model of the user's own is taken to be an ArcFace as InsightFace exports it, with the thresholds that were in use
/// for its R100. Its vectors may have any length.
fn arcface_spec() -> EmbedderSpec {
    EmbedderSpec {
        pixels: PixelFormat { mean: 127.5, scale: 1.0 / 127.5, ..PixelFormat::RGB_BYTES },
        dim: None,
        same_person: 0.3,
        gate: GateThresholds { hard: 0.10, soft: 0.25 },
    }
}

fn key(settings: &EmbedSettings) -> Key {
    format!("{}|{}|{}", settings.model, settings.model_file, settings.model_sha256)
}
