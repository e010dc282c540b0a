//! Runs of the pipeline in a process of their own, so that what they take can be told from what measuring takes.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};

use super::compare::{Taken, measure};

/// Runs the pipeline with these flags of `facereel run` into a new folder, from nothing, and keeps its work objects.
pub(super) fn own_run(video: &Path, flags: &[String]) -> Result<(Taken, tempfile::TempDir)> {
    let folder = tempfile::tempdir().context("a folder for the results can't be made")?;
    let program = std::env::current_exe().context("the program does not know where it is")?;
    let mut command = Command::new(program);
    command.arg("run").arg(video).args(flags);
    command.args(["--quiet", "--set", "export.keep_work=true", "--episode", EPISODE, "--out"]);
    Ok((measure(command.arg(folder.path()))?, folder))
}

const EPISODE: &str = "bench";
