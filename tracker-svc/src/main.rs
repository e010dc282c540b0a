//! tracker-svc as a process.

use std::process::ExitCode;

use tracker_svc::TrackerService;

fn main() -> ExitCode {
    facereel_host::run::<TrackerService>()
}
