//! exporter-svc: export jobs.

use facereel_domain::pipeline::Stage as StageName;
use facereel_domain::settings::{ExportSettings, Settings};
use facereel_service::{Assignment, PrepareError, Service, Slots, Team};

use crate::ExportStage;

/// The stage of this service.
#[derive(Debug, Clone)]
pub struct ExporterService {
    export: ExportStage,
}

impl ExporterService {
    /// A stage that writes as `settings` say.
    #[must_use]
    pub fn new(settings: ExportSettings) -> Self {
        Self { export: ExportStage::new(settings) }
    }
}

impl Service for ExporterService {
    const NAME: &'static str = "exporter-svc";
    const STAGES: &'static [StageName] = &[StageName::Export];
    const PORT: u16 = 9464;

    fn prepare(settings: &Settings, _assigned: &Assignment, _threads: usize) -> Result<Self, PrepareError> {
        Ok(Self::new(settings.runtime.export.clone()))
    }

    fn staff(self, team: &mut impl Team) {
        team.hire(self.export, Slots::One);
    }
}
