//! detector-svc as a process.

use std::process::ExitCode;

use detector_svc::DetectorService;

fn main() -> ExitCode {
    facereel_host::run::<DetectorService>()
}
