//! The embedders that jobs ask for: opened once for each thread that uses them, kept for the next job.

use std::num::NonZeroUsize;

use facereel_domain::geometry::{Landmarks, Size};
use facereel_domain::settings::{EmbedSettings, PipelineSettings};
use facereel_imaging::RgbImage;
use facereel_imaging::align::{ALIGNED_SIDE, AlignedFace, TEMPLATE, align_face};
use facereel_inference::catalog::{CatalogError, CustomModel, ModelsDir, open_custom, open_embedder};
use facereel_inference::{
    EmbedderSpec, FaceEmbedder, GateThresholds, InferenceError, Model, PixelFormat, Runtime, embedder,
};
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
    /// Its thresholds, where they are known.
    pub gate: Option<GateThresholds>,
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

    /// Opens `count` of the embedders that `settings` ask for and lets each look at a picture: the first jobs do not wait
    /// for that.
    pub fn warm_up(&self, settings: &EmbedSettings, count: usize) -> Result<(), StageError> {
        let record = record(&self.models, settings)
            .map_err(|e| StageError::permanent("the embedder's model can't be used", e))?;
        let records = [record];
        // All at once, else the first would serve for all.
        let mut open = Vec::with_capacity(count);
        for _ in 0..count {
            let mut embedder = self.take(settings, &records)?;
            if let Some(face) = blank() {
                let looked = embedder.embedder.embed(&[face]);
                looked.map_err(|e| model_failure("the embedder failed", e))?;
            }
            open.push(embedder);
        }
        Ok(())
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
            let runtime = self.runtime.on(settings.provider);
            let embedder = runtime
                .and_then(|runtime| embedder::open(&runtime, &model, NonZeroUsize::MIN))
                .map_err(|e| model_failure("the embedder can't be started", e))?;
            Ok(OpenEmbedder { embedder, gate: model.spec.gate })
        })
    }
}

/// What lacks a graphics card here may find one elsewhere; all else is wrong with the model.
pub(crate) fn model_failure(doing: &str, error: InferenceError) -> StageError {
    if error.is_permanent() {
        StageError::permanent(doing, error)
    } else {
        StageError::transient(doing, error)
    }
}

/// An aligned picture without a face, for the first look of a model.
fn blank() -> Option<AlignedFace> {
    let side = ALIGNED_SIDE;
    let image =
        RgbImage::new(Size { width: side, height: side }, vec![128; (3 * side * side) as usize]).ok()?;
    align_face(&image, &Landmarks(TEMPLATE))
}

/// How a run records the embedder that `settings` ask for.
pub fn record(models: &ModelsDir, settings: &EmbedSettings) -> Result<ModelRecord, CatalogError> {
    let identity = open_model(models, settings)?.identity;
    let role = ModelRecord::EMBEDDER.to_owned();
    Ok(ModelRecord { role, name: identity.name, sha256: identity.sha256, licence: identity.licence })
}

/// What the appearance gate goes by.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Appearance {
    /// Where a tracklet is split.
    pub(crate) rules: GateRules,
    /// From which similarity on two pieces are joined.
    pub(crate) rejoin: f32,
    /// That some of it was found for other embedders, if so.
    pub(crate) warning: Option<String>,
}

/// The settings' thresholds, or where they are 0 the values recorded with the embedder; where it has none, those of
/// embedders of its kind, with a warning.
#[must_use]
pub(crate) fn appearance(settings: &PipelineSettings, recorded: Option<GateThresholds>) -> Appearance {
    let gate = &settings.gate;
    let known = recorded.unwrap_or(ARCFACE_LIKE);
    let or_known = |set: f32, known: f32| if set == 0.0 { known } else { set };
    let guessed: Vec<&str> =
        [("gate.hard", gate.hard), ("gate.soft", gate.soft), ("gate.rejoin", gate.rejoin)]
            .into_iter()
            .filter_map(|(name, set)| (recorded.is_none() && gate.enabled && set == 0.0).then_some(name))
            .collect();
    let warning = (!guessed.is_empty()).then(|| {
        format!(
            "no appearance thresholds are recorded for the embedder '{}': tracks were split and joined by values for \
             other embedders; set {} to values found on labelled tracks, or gate.enabled to false",
            settings.embed.model,
            guessed.join(", ")
        )
    });
    Appearance {
        rules: GateRules {
            hard: or_known(gate.hard, known.hard),
            soft: or_known(gate.soft, known.soft),
            streak: gate.streak.max(1) as usize,
            momentum: gate.momentum,
        },
        rejoin: or_known(gate.rejoin, known.rejoin),
        warning,
    }
}

/// Careful values for embedders trained with an angular margin, as ArcFace and SFace are: strangers lie around 0.
const ARCFACE_LIKE: GateThresholds = GateThresholds { hard: 0.10, soft: 0.25, rejoin: 0.55 };

fn open_model(models: &ModelsDir, settings: &EmbedSettings) -> Result<Model<EmbedderSpec>, CatalogError> {
    if settings.model_file.is_empty() {
        return open_embedder(models, &settings.model);
    }
    let custom =
        CustomModel { path: settings.model_file.clone().into(), sha256: settings.model_sha256.parse().ok() };
    open_custom(&custom, arcface_spec())
}

/// A model of the user's own is taken to be an ArcFace as InsightFace exports it. Its vectors may have any length; no
/// thresholds are known for it.
fn arcface_spec() -> EmbedderSpec {
    EmbedderSpec {
        pixels: PixelFormat { mean: 127.5, scale: 1.0 / 127.5, ..PixelFormat::RGB_BYTES },
        dim: None,
        same_person: 0.3,
        gate: None,
    }
}

fn key(settings: &EmbedSettings) -> Key {
    let EmbedSettings { model, model_file, model_sha256, provider, .. } = settings;
    format!("{model}|{model_file}|{model_sha256}|{provider:?}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use facereel_domain::settings::GateSettings;

    const RECORDED: GateThresholds = GateThresholds { hard: 0.15, soft: 0.30, rejoin: 0.50 };

    #[test]
    fn an_embedders_own_thresholds_are_taken_where_the_settings_name_none() {
        let mut settings = PipelineSettings::default();
        settings.gate.soft = 0.4;
        let found = appearance(&settings, Some(RECORDED));
        assert!((found.rules.hard, found.rules.soft, found.rejoin) == (0.15, 0.4, 0.50), "{found:?}");
        assert_eq!(found.warning, None);
    }

    #[test]
    fn an_embedder_without_thresholds_is_warned_of_until_all_are_set() {
        let mut settings = PipelineSettings::default();
        settings.gate.hard = 0.65;
        let warning = appearance(&settings, None).warning.unwrap();
        assert!(warning.contains("set gate.soft, gate.rejoin to"), "{warning}");
        (settings.gate.soft, settings.gate.rejoin) = (0.75, 0.8);
        assert_eq!(appearance(&settings, None).warning, None);
        let off = GateSettings { enabled: false, ..GateSettings::default() };
        let settings = PipelineSettings { gate: off, ..PipelineSettings::default() };
        assert_eq!(appearance(&settings, None).warning, None, "nothing is judged");
    }
}
