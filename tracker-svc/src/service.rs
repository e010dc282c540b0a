//! tracker-svc: track jobs.

use facereel_domain::pipeline::Stage as StageName;
use facereel_domain::settings::Settings;
use facereel_service::{Assignment, PrepareError, Service, Slots, Team};

use crate::TrackStage;

/// The stage of this service.
#[derive(Debug, Clone, Copy)]
pub struct TrackerService;

impl Service for TrackerService {
    const NAME: &'static str = "tracker-svc";
    const STAGES: &'static [StageName] = &[StageName::Track];
    const PORT: u16 = 9462;

    fn prepare(_settings: &Settings, _assigned: &Assignment, _threads: usize) -> Result<Self, PrepareError> {
        Ok(Self)
    }

    fn staff(self, team: &mut impl Team) {
        team.hire(TrackStage, Slots::One);
    }
}
