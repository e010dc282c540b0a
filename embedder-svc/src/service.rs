//! embedder-svc: embed jobs.

use std::sync::Arc;

use facereel_domain::pipeline::Stage as StageName;
use facereel_domain::settings::Settings;
use facereel_inference::Runtime;
use facereel_inference::catalog::ModelsDir;
use facereel_service::{Assignment, PrepareError, Service, Slots, Team};

use crate::{EmbedStage, Embedders};

/// The stage of this service.
pub struct EmbedderService {
    embed: EmbedStage,
}

impl EmbedderService {
    /// A stage that takes its models from `embedders`.
    #[must_use]
    pub fn new(embedders: Embedders) -> Self {
        Self { embed: EmbedStage::new(Arc::new(embedders)) }
    }

    /// The same with models in `models`.
    #[must_use]
    pub fn with_models(runtime: &Runtime, models: &ModelsDir) -> Self {
        Self::new(Embedders::new(runtime.clone(), models.clone()))
    }
}

impl Service for EmbedderService {
    const NAME: &'static str = "embedder-svc";
    const STAGES: &'static [StageName] = &[StageName::Embed];
    const PORT: u16 = 9463;

    /// What jobs ask for stands in each run; what the settings here ask for is made ready beforehand.
    fn prepare(settings: &Settings, _assigned: &Assignment, threads: usize) -> Result<Self, PrepareError> {
        let (runtime, models) = Runtime::from_settings(&settings.runtime.models)
            .map_err(|error| PrepareError::Models(error.into()))?;
        let embedders = Embedders::new(runtime, models);
        let embed = &settings.pipeline.embed;
        if embed.enabled {
            embedders.warm_up(embed, threads).map_err(|error| PrepareError::Models(error.into()))?;
        }
        Ok(Self::new(embedders))
    }

    fn staff(self, team: &mut impl Team) {
        team.hire(self.embed, Slots::PerThread);
    }
}
