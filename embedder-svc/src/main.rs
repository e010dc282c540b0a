//! embedder-svc as a process.

use std::process::ExitCode;

use embedder_svc::EmbedderService;

fn main() -> ExitCode {
    facereel_host::run::<EmbedderService>()
}
