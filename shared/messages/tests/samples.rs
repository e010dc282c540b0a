//! Every version of every format that was released still decodes to what it meant.
//!
//! `samples/NAME.vN.mpk` are never changed. When a format gets a new version, its sample is written with
//! `FACEREEL_WRITE_SAMPLES=1 cargo nextest run -p facereel-messages --test samples`, and the old sample gets a test of
//! its own.

mod values;

use std::fmt::Debug;
use std::fs;
use std::path::PathBuf;

use facereel_messages::{Format, decode, encode};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/samples")
}

fn file_name<T: Format>(_: &T) -> String {
    format!("{}.v{}.mpk", T::NAME, T::VERSION)
}

#[test]
fn samples_of_every_format_decode_to_what_they_meant() {
    fn check_one<T: Format + PartialEq + Debug>(value: &T) {
        let path = folder().join(file_name(value));
        if std::env::var_os("FACEREEL_WRITE_SAMPLES").is_some() {
            // Only what is missing: a sample that exists is a promise.
            if !path.exists() {
                fs::write(&path, encode(value).expect(T::NAME)).expect("the sample can be written");
            }
        }
        let bytes = fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        assert_eq!(&decode::<T>(&bytes).expect(T::NAME), value, "{}", path.display());
        assert_eq!(
            bytes,
            encode(value).expect(T::NAME),
            "{}: the same value gives other bytes",
            path.display()
        );
    }
    macro_rules! check {
        ($value:expr) => {
            check_one($value)
        };
    }
    for_every_format!(check);
}

#[test]
fn every_sample_is_tested() {
    let mut tested = Vec::new();
    macro_rules! check {
        ($value:expr) => {
            tested.push(file_name($value))
        };
    }
    for_every_format!(check);
    let entries = fs::read_dir(folder()).expect("there are samples").flatten();
    let mut samples: Vec<_> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    samples.sort();
    tested.sort();
    assert_eq!(samples, tested);
}

#[test]
fn the_documentation_lists_every_format_with_its_version() {
    fn row<T: Format>(_: &T) -> String {
        format!("| `{}` | {} |", T::NAME, T::VERSION)
    }
    let page = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/wire-format.md");
    let page = fs::read_to_string(page).expect("the page is there");
    macro_rules! check {
        ($value:expr) => {
            assert!(page.contains(&row($value)), "{}", row($value))
        };
    }
    for_every_format!(check);
}
