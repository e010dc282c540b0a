//! Prints the settings reference: `cargo run -p facereel-settings --example reference > docs/settings.md`.

use std::error::Error;
use std::io::Write;

fn main() -> Result<(), Box<dyn Error>> {
    std::io::stdout().write_all(facereel_settings::render_reference()?.as_bytes())?;
    Ok(())
}
