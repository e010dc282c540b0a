//! `facereel settings`: every setting with its value, unit and source.

use anyhow::Result;
use clap::Args;
use facereel_settings::render_table;
use serde_json::json;

use crate::console;
use crate::exit::Exit;
use crate::setting_args::RunSettingArgs;

/// Show every setting with its value, unit and source.
#[derive(Debug, Args)]
pub(crate) struct SettingsArgs {
    /// As JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    settings: RunSettingArgs,
}

/// Prints the settings.
pub(crate) fn run(args: &SettingsArgs) -> Result<Exit> {
    let resolved = args.settings.resolve()?;
    if args.json {
        let document = json!({ "settings": resolved.report()?, "notes": resolved.notes });
        console::out(serde_json::to_string_pretty(&document)?);
    } else {
        console::out(render_table(&resolved)?.trim_end());
    }
    Ok(Exit::Done)
}
