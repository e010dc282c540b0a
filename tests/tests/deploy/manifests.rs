//! Which objects are looked at.

pub(crate) use facereel_tests::manifests::{Object, deploy, documents, objects, rendered};

/// What can be applied to a cluster, below `deploy/kubernetes`.
pub(crate) const ALL: [&str; 5] =
    ["overlays/dev", "overlays/prod", "overlays/gpu", "jobs/backfill", "jobs/retention"];
/// Those among them that run the services.
pub(crate) const OVERLAYS: [&str; 3] = ["overlays/dev", "overlays/prod", "overlays/gpu"];
