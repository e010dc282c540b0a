//! detector-svc: plan and detect jobs.

use std::sync::Arc;

use facereel_domain::pipeline::Stage as StageName;
use facereel_domain::settings::Settings;
use facereel_inference::Runtime;
use facereel_inference::catalog::ModelsDir;
use facereel_service::{Assignment, PrepareError, Service, Slots, Team};

use crate::{DetectStage, Detectors, PlanStage, Sources, Trust};

/// The stages of this service, or those of them that are wanted: plan reads videos and is light, detect is what a run
/// costs most of.
pub struct DetectorService {
    plan: Option<PlanStage>,
    detect: Option<DetectStage>,
}

impl DetectorService {
    /// Both stages, which take videos from `sources` and their models from `detectors`.
    #[must_use]
    pub fn new(detectors: Detectors, sources: Sources) -> Self {
        let plan = PlanStage::new(sources.clone());
        Self { plan: Some(plan), detect: Some(DetectStage::new(Arc::new(detectors), sources)) }
    }

    /// The same with models in `models`.
    #[must_use]
    pub fn with_models(runtime: &Runtime, models: &ModelsDir, sources: &Sources) -> Self {
        Self::new(Detectors::new(runtime.clone(), models.clone()), sources.clone())
    }
}

impl Service for DetectorService {
    const NAME: &'static str = "detector-svc";
    const STAGES: &'static [StageName] = &[StageName::Plan, StageName::Detect];
    const PORT: u16 = 9461;

    /// What jobs ask for stands in each run; what the settings here ask for is made ready beforehand. Plan needs no model.
    fn prepare(settings: &Settings, assigned: &Assignment, threads: usize) -> Result<Self, PrepareError> {
        let sources = Sources::new(&settings.runtime, Trust::Jobs)
            .map_err(|error| PrepareError::Settings(error.into()))?;
        let plan = assigned.includes(StageName::Plan).then(|| PlanStage::new(sources.clone()));
        let detect = if assigned.includes(StageName::Detect) {
            Some(DetectStage::new(Arc::new(warm_detectors(settings, threads)?), sources))
        } else {
            None
        };
        Ok(Self { plan, detect })
    }

    fn staff(self, team: &mut impl Team) {
        if let Some(plan) = self.plan {
            team.hire(plan, Slots::One);
        }
        if let Some(detect) = self.detect {
            team.hire(detect, Slots::PerThread);
        }
    }
}

/// Detectors that have looked at a picture, one for each of `threads`.
fn warm_detectors(settings: &Settings, threads: usize) -> Result<Detectors, PrepareError> {
    let (runtime, models) = Runtime::from_settings(&settings.runtime.models)
        .map_err(|error| PrepareError::Models(error.into()))?;
    let detectors = Detectors::new(runtime, models);
    let warm = detectors.warm_up(&settings.pipeline.detect, threads);
    warm.map_err(|error| PrepareError::Models(error.into()))?;
    Ok(detectors)
}
