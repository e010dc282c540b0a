//! The documented settings are those of the code.

use std::fs;

use facereel_settings::{knobs, render_reference};

#[test]
fn the_settings_page_is_what_the_code_generates() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/settings.md");
    let page = fs::read_to_string(path).unwrap();
    let renew = "renew it: cargo run -p facereel-settings --example reference > docs/settings.md";
    assert!(page == render_reference().unwrap(), "docs/settings.md is out of date; {renew}");
}

#[test]
fn the_page_names_every_setting_and_every_older_name() {
    let page = render_reference().unwrap();
    for knob in knobs::all() {
        assert!(page.contains(&format!("| `{}`", knob.path)), "{}", knob.path);
        for legacy in knob.legacy {
            assert!(page.contains(&format!("| `{}` | `{}` |", legacy.name, knob.path)), "{}", legacy.name);
        }
    }
}
