//! `facereel`: arguments in, exit code out.

mod args;
mod commands;
mod console;
mod embedded;
mod exit;
mod logging;
mod operator;
mod photos;
mod progress;
mod request;
mod setting_args;
mod store;

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser as _;

use crate::args::{Cli, Command};
use crate::exit::Exit;

fn main() -> ExitCode {
    facereel_service::memory::return_large_blocks();
    let exit = dispatch(Cli::parse().command).unwrap_or_else(|error| {
        console::err(format!("error: {error:#}"));
        Exit::of(&error)
    });
    ExitCode::from(exit.code())
}

fn dispatch(command: Command) -> Result<Exit> {
    match command {
        Command::Run(args) => commands::run::run(&args),
        Command::Submit(args) => commands::submit::run(&args),
        Command::Backfill(args) => commands::backfill::run(&args),
        Command::Status(args) => commands::status::run(&args),
        Command::Cancel(args) => commands::cancel::run(&args),
        Command::Dead(command) => commands::dead::run(&command),
        Command::Fetch(args) => commands::fetch::run(&args),
        Command::Erase(args) => commands::erase::run(&args),
        Command::Settings(args) => commands::settings::run(&args),
        Command::Models(command) => commands::models::run(&command),
        Command::Doctor(args) => commands::doctor::run(&args),
        Command::Verify(args) => commands::verify::run(&args),
        Command::Evaluate(command) => commands::evaluate::run(&command),
        Command::Bench(command) => commands::bench::run(&command),
    }
}
