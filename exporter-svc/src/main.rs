//! exporter-svc as a process.

use std::process::ExitCode;

use exporter_svc::ExporterService;

fn main() -> ExitCode {
    facereel_host::run::<ExporterService>()
}
