//! `facereel models`: what models there are, and bringing them.

use anyhow::Result;
use clap::{Args, Subcommand};
use facereel_inference::catalog::{
    ENTRIES, Entry, FetchStep, FileState, ModelsDir, Report, Role, check, fetch,
};

use crate::console;
use crate::exit::Exit;
use crate::setting_args::SettingArgs;

/// List, fetch or check models and ONNX Runtime.
#[derive(Debug, Subcommand)]
pub(crate) enum ModelsCommand {
    /// The models that facereel knows, with licence and origin
    List,
    /// Bring what is missing into the models folder (60 MB; needs Python's pip once)
    Fetch(FolderArgs),
    /// Look at every file of the models folder and its digest
    Check(FolderArgs),
}

/// Which folder.
#[derive(Debug, Args)]
pub(crate) struct FolderArgs {
    #[command(flatten)]
    settings: SettingArgs,
}

impl FolderArgs {
    fn folder(&self) -> Result<ModelsDir> {
        Ok(ModelsDir::new(self.settings.resolve(Vec::new())?.settings.runtime.models.dir))
    }
}

/// Does what is asked.
pub(crate) fn run(command: &ModelsCommand) -> Result<Exit> {
    match command {
        ModelsCommand::List => {
            for entry in ENTRIES {
                console::out(described(entry));
            }
            Ok(Exit::Done)
        }
        ModelsCommand::Fetch(args) => {
            let folder = args.folder()?;
            let report = fetch(&folder, |step| console::err(step_line(step)))?;
            Ok(conclude(&folder, &report))
        }
        ModelsCommand::Check(args) => {
            let folder = args.folder()?;
            Ok(conclude(&folder, &check(&folder)))
        }
    }
}

fn described(entry: &Entry) -> String {
    format!(
        "{:<12} {:<9} {:<10} {:>5.1} MB  {}\n{:<22} from {}, sha256 {}",
        entry.name,
        role(entry),
        entry.licence,
        entry.bytes as f64 / 1e6,
        entry.credit,
        "",
        entry.package.requirement(),
        entry.sha256,
    )
}

fn role(entry: &Entry) -> &'static str {
    match entry.role {
        Role::Runtime => "runtime",
        Role::Detector(_) => "detector",
        Role::Embedder(_) => "embedder",
    }
}

fn step_line(step: FetchStep) -> String {
    match step {
        FetchStep::Present(entry) => format!("{} is there", entry.name),
        FetchStep::Downloading(package) => format!("downloading {}", package.requirement()),
        FetchStep::Written(entry) => format!("{} written", entry.name),
    }
}

/// Shows every file's state.
fn conclude(folder: &ModelsDir, report: &Report) -> Exit {
    for file in &report.files {
        console::out(format!("{:<8} {:<12} {}", word(file.state), file.entry.name, file.path.display()));
    }
    if report.is_ready() {
        return Exit::Done;
    }
    console::err(format!("{} is not complete: run `facereel models fetch`", folder.path().display()));
    Exit::Runtime
}

fn word(state: FileState) -> &'static str {
    match state {
        FileState::Ready => "ready",
        FileState::Missing => "missing",
        FileState::Damaged => "damaged",
    }
}
