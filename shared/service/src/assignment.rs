//! Which of its service's stages a process works on.
//!
//! A service may have stages that cost very different things; on a cluster each then gets processes of its own, which scale
//! on its own queues. They are the same program with another assignment.

use std::fmt;

use facereel_domain::pipeline::Stage as StageName;

use crate::service::Service;

/// The stages that a process works on: at least one, in the service's order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment(Vec<StageName>);

impl Assignment {
    /// The stages of `S` with these names; all of them where none is named.
    pub fn of<S: Service>(names: &[String]) -> Result<Self, ForeignStage> {
        let is_known = |name: &&String| S::STAGES.iter().any(|stage| stage.as_str() == *name);
        if let Some(name) = names.iter().find(|name| !is_known(name)) {
            let stages = Self(S::STAGES.to_vec());
            return Err(ForeignStage { name: name.clone(), service: S::NAME, stages });
        }
        let is_assigned =
            |stage: &StageName| names.is_empty() || names.iter().any(|name| name == stage.as_str());
        Ok(Self(S::STAGES.iter().copied().filter(is_assigned).collect()))
    }

    /// The stages.
    #[must_use]
    pub fn stages(&self) -> &[StageName] {
        &self.0
    }

    /// Whether `stage` is among them.
    #[must_use]
    pub fn includes(&self, stage: StageName) -> bool {
        self.0.contains(&stage)
    }
}

/// `plan, detect`.
impl fmt::Display for Assignment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.0.iter().map(|stage| stage.as_str()).collect();
        f.write_str(&names.join(", "))
    }
}

/// A process is to work on a stage that its service does not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("service.stages: '{name}' is no stage of {service}; use some of these, or nothing for all: {stages}")]
pub struct ForeignStage {
    name: String,
    service: &'static str,
    stages: Assignment,
}

#[cfg(test)]
mod tests {
    use facereel_domain::settings::Settings;

    use super::*;
    use crate::service::{PrepareError, Team};

    struct Tester;

    impl Service for Tester {
        const NAME: &'static str = "tester-svc";
        const STAGES: &'static [StageName] = &[StageName::Plan, StageName::Detect];
        const PORT: u16 = 9460;

        fn prepare(_: &Settings, _: &Assignment, _: usize) -> Result<Self, PrepareError> {
            Ok(Self)
        }

        fn staff(self, _: &mut impl Team) {}
    }

    fn assigned(names: &[&str]) -> Result<Assignment, ForeignStage> {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        Assignment::of::<Tester>(&names)
    }

    #[test]
    fn without_names_all_stages_are_assigned() {
        let all = assigned(&[]).unwrap();
        assert_eq!(all.stages(), Tester::STAGES);
        assert_eq!(all.to_string(), "plan, detect");
    }

    #[test]
    fn stages_come_in_the_order_of_the_service_and_once_each() {
        assert_eq!(assigned(&["detect", "plan", "detect"]).unwrap().stages(), Tester::STAGES);
        let part = assigned(&["detect"]).unwrap();
        assert!(part.includes(StageName::Detect) && !part.includes(StageName::Plan));
    }

    #[test]
    fn a_stage_that_the_service_does_not_have_is_refused_by_name() {
        for name in ["track", "Detect", "detekt", ""] {
            let error = assigned(&["plan", name]).unwrap_err().to_string();
            assert!(error.contains(&format!("'{name}' is no stage of tester-svc")), "{error}");
            assert!(error.ends_with(": plan, detect"), "{error}");
        }
    }
}
