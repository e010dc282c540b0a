//! The detectors that jobs ask for: opened once for each thread that uses them, kept for the next job.

use std::num::NonZeroUsize;

use facereel_domain::geometry::Size;
use facereel_domain::settings::DetectSettings;
use facereel_imaging::RgbImage;
use facereel_inference::catalog::{CatalogError, CustomModel, ModelsDir, open_custom, open_detector};
use facereel_inference::{
    AnchorGrid, DetectorHead, DetectorSpec, FaceDetector, Model, PixelFormat, Runtime, detector,
};
use facereel_messages::objects::ModelRecord;
use facereel_service::StageError;
use facereel_service::idle::{IdlePool, Loan};

use crate::failure::model_failure;

/// What makes two detectors interchangeable: all settings that reach the model, as text.
type Key = String;

/// A source of detectors.
pub struct Detectors {
    runtime: Runtime,
    models: ModelsDir,
    idle: IdlePool<Key, Box<dyn FaceDetector>>,
}

impl Detectors {
    /// Detectors whose models lie in `models`.
    #[must_use]
    pub fn new(runtime: Runtime, models: ModelsDir) -> Self {
        Self { runtime, models, idle: IdlePool::default() }
    }

    /// Opens `count` of the detectors that `settings` ask for and lets each look at a picture: the first jobs do not wait
    /// for that.
    pub fn warm_up(&self, settings: &DetectSettings, count: usize) -> Result<(), StageError> {
        let record = record(&self.models, settings)
            .map_err(|e| StageError::permanent("the detector's model can't be used", e))?;
        let records = [record];
        // All at once, else the first would serve for all.
        let mut open = Vec::with_capacity(count);
        for _ in 0..count {
            let mut detector = self.take(settings, &records)?;
            if let Some(picture) = blank() {
                detector.detect(&picture).map_err(|e| model_failure("the detector failed", e))?;
            }
            open.push(detector);
        }
        Ok(())
    }

    /// The detector that `settings` ask for, for one thread. It must be the one that the run was asked for with.
    pub fn take(
        &self,
        settings: &DetectSettings,
        records: &[ModelRecord],
    ) -> Result<Loan<Key, Box<dyn FaceDetector>>, StageError> {
        self.idle.take_or(&key(settings), || {
            let model = open_model(&self.models, settings)
                .map_err(|e| StageError::permanent("the detector's model can't be used", e))?;
            let recorded = records.iter().find(|record| record.role == ModelRecord::DETECTOR);
            if recorded.is_none_or(|record| record.sha256 != model.identity.sha256) {
                return Err(StageError::refused(format!(
                    "the run asks for another file of the detector '{}' than this worker has (digest {})",
                    settings.model, model.identity.sha256
                )));
            }
            let runtime = self.runtime.on(settings.provider);
            runtime
                .and_then(|runtime| detector::open(&runtime, &model, NonZeroUsize::MIN))
                .map_err(|e| model_failure("the detector can't be started", e))
        })
    }
}

/// A picture without faces, for the first look of a model.
fn blank() -> Option<RgbImage> {
    let size = Size { width: 320, height: 192 };
    RgbImage::new(size, vec![128; 3 * 320 * 192]).ok()
}

/// How a run records the detector that `settings` ask for.
pub fn record(models: &ModelsDir, settings: &DetectSettings) -> Result<ModelRecord, CatalogError> {
    let identity = open_model(models, settings)?.identity;
    let role = ModelRecord::DETECTOR.to_owned();
    Ok(ModelRecord { role, name: identity.name, sha256: identity.sha256, licence: identity.licence })
}

fn open_model(models: &ModelsDir, settings: &DetectSettings) -> Result<Model<DetectorSpec>, CatalogError> {
    let mut model = if settings.model_file.is_empty() {
        open_detector(models, &settings.model)?
    } else {
        let custom = CustomModel {
            path: settings.model_file.clone().into(),
            sha256: settings.model_sha256.parse().ok(),
        };
        open_custom(&custom, custom_spec(&settings.model_head))?
    };
    model.spec.confidence_floor = settings.min_confidence;
    model.spec.nms_iou = settings.nms_iou;
    if !settings.close_ups {
        model.spec.largest_face_px = f32::INFINITY;
    }
    Ok(model)
}

/// How to talk to a model of the user's own; what is not said is taken to be SCRFD, as InsightFace exports it.
fn custom_spec(head: &str) -> DetectorSpec {
    let (head, pixels) = match head {
        "yunet" => (DetectorHead::YuNet, PixelFormat::BGR_BYTES),
        "centerface" => (DetectorHead::CenterFace, PixelFormat::RGB_BYTES),
        _ => {
            let grid = AnchorGrid { strides: vec![8, 16, 32], anchors_per_cell: 2 };
            (DetectorHead::Scrfd(grid), PixelFormat::RGB_CENTERED)
        }
    };
    // Confidence floor and NMS come from the settings.
    DetectorSpec {
        head,
        pixels,
        confidence_floor: 0.0,
        nms_iou: 1.0,
        smallest_face_px: 16.0,
        largest_face_px: 320.0,
    }
}

fn key(settings: &DetectSettings) -> Key {
    let DetectSettings { model, model_file, model_sha256, model_head, .. } = settings;
    let DetectSettings { provider, min_confidence, nms_iou, close_ups, .. } = settings;
    format!(
        "{model}|{model_file}|{model_sha256}|{model_head}|{provider:?}|{min_confidence}|{nms_iou}|{close_ups}"
    )
}
