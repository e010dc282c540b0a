//! detector-svc: plan and detect jobs.

use std::sync::Arc;

use facereel_domain::pipeline::Stage as StageName;
use facereel_domain::settings::Settings;
use facereel_inference::Runtime;
use facereel_inference::catalog::ModelsDir;
use facereel_service::{PrepareError, Service, Slots, Team};

use crate::{DetectStage, Detectors, PlanStage, Sources, Trust};

/// The stages of this service.
pub struct DetectorService {
    plan: PlanStage,
    detect: DetectStage,
}

impl DetectorService {
    /// Stages that take videos from `sources` and their models from `detectors`.
    #[must_use]
    pub fn new(detectors: Detectors, sources: Sources) -> Self {
        let plan = PlanStage::new(sources.clone());
        Self { plan, detect: DetectStage::new(Arc::new(detectors), sources) }
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

    /// What jobs ask for stands in each run; what the settings here ask for is made ready beforehand.
    fn prepare(settings: &Settings, threads: usize) -> Result<Self, PrepareError> {
        let sources = Sources::new(&settings.runtime, Trust::Jobs)
            .map_err(|error| PrepareError::Settings(error.into()))?;
        let (runtime, models) = Runtime::from_settings(&settings.runtime.models)
            .map_err(|error| PrepareError::Models(error.into()))?;
        let detectors = Detectors::new(runtime, models);
        let warm = detectors.warm_up(&settings.pipeline.detect, threads);
        warm.map_err(|error| PrepareError::Models(error.into()))?;
        Ok(Self::new(detectors, sources))
    }

    fn staff(self, team: &mut impl Team) {
        team.hire(self.plan, Slots::One);
        team.hire(self.detect, Slots::PerThread);
    }
}
