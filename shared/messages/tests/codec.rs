//! The codec's promises, for every format and for bytes that are none.

mod values;

use std::collections::BTreeSet;
use std::fmt::Debug;

use facereel_messages::jobs::{DetectJob, MAX_JOB_BYTES, PlanJob};
use facereel_messages::objects::{DetectionsPart, Plan, RunRequest, Tracks};
use facereel_messages::{CodecError, Format, decode, encode};
use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use values::{detect_job, detections_part, plan, plan_job, run_request, tracks};

#[test]
fn every_format_reads_back_what_it_wrote() {
    fn check_one<T: Format + PartialEq + Debug>(value: &T) {
        let bytes = encode(value).expect(T::NAME);
        assert_eq!(&decode::<T>(&bytes).expect(T::NAME), value);
    }
    macro_rules! check {
        ($value:expr) => {
            check_one($value)
        };
    }
    for_every_format!(check);
}

#[test]
fn equal_values_give_equal_bytes_also_after_a_round_trip() {
    fn check_one<T: Format + Clone>(value: &T) {
        let bytes = encode(value).expect(T::NAME);
        assert_eq!(bytes, encode(&value.clone()).expect(T::NAME), "{}", T::NAME);
        let read: T = decode(&bytes).expect(T::NAME);
        assert_eq!(bytes, encode(&read).expect(T::NAME), "{}", T::NAME);
    }
    macro_rules! check {
        ($value:expr) => {
            check_one($value)
        };
    }
    for_every_format!(check);
}

fn name_of<T: Format>(_: &T) -> &'static str {
    T::NAME
}

#[test]
fn every_format_has_a_name_of_its_own() {
    let mut names = BTreeSet::new();
    let mut collect = |name: &'static str| assert!(names.insert(name), "{name} is there twice");
    macro_rules! collect_name {
        ($value:expr) => {
            collect(name_of($value))
        };
    }
    for_every_format!(collect_name);
    assert!(names.iter().all(|name| name.starts_with("facereel.")), "{names:?}");
}

#[test]
fn jobs_are_small() {
    let bytes = encode(&detect_job()).unwrap();
    assert!(bytes.len() < 300, "{} bytes", bytes.len());
}

#[test]
fn another_format_is_named_in_the_error() {
    let error = decode::<PlanJob>(&encode(&detect_job()).unwrap()).unwrap_err();
    assert!(matches!(error, CodecError::WrongFormat { .. }));
    assert_eq!(error.to_string(), "expected facereel.job.plan, found 'facereel.job.detect'");
}

/// A later build's plan job: other fields, under the same name.
#[derive(Serialize, Deserialize)]
struct LaterPlanJob {
    everything: u8,
}

impl Format for LaterPlanJob {
    const NAME: &'static str = PlanJob::NAME;
    const VERSION: u16 = PlanJob::VERSION + 1;
    const MAX_BYTES: usize = MAX_JOB_BYTES;
}

#[test]
fn an_unknown_version_is_an_error_of_its_own_whatever_its_fields_are() {
    let error = decode::<PlanJob>(&encode(&LaterPlanJob { everything: 1 }).unwrap()).unwrap_err();
    assert!(matches!(error, CodecError::UnknownVersion { found: 2, known: 1, .. }), "{error:?}");
    assert!(error.to_string().contains("update the older side"), "{error}");
}

/// A job that could be read but for a field that nobody knows.
#[derive(Serialize, Deserialize)]
struct WiderDetectJob {
    address: facereel_messages::jobs::JobAddress,
    segment: u32,
    segments: u32,
    surprise: bool,
}

impl Format for WiderDetectJob {
    const NAME: &'static str = DetectJob::NAME;
    const VERSION: u16 = DetectJob::VERSION;
    const MAX_BYTES: usize = MAX_JOB_BYTES;
}

#[test]
fn a_field_that_the_version_does_not_have_is_refused() {
    let address = detect_job().address;
    let wider = WiderDetectJob { address, segment: 3, segments: 40, surprise: true };
    let error = decode::<DetectJob>(&encode(&wider).unwrap()).unwrap_err();
    assert!(matches!(error, CodecError::Malformed { .. }));
}

/// A list as long as its format allows, and one longer.
#[derive(Debug, Serialize, Deserialize)]
struct Filling(Vec<bool>);

impl Format for Filling {
    const NAME: &'static str = "filling";
    const VERSION: u16 = 1;
    const MAX_BYTES: usize = 1000;
}

#[test]
fn too_many_bytes_are_neither_written_nor_read() {
    let overhead = encode(&Filling(Vec::new())).unwrap().len();
    // A list of more than 15 elements takes two bytes more for its length.
    let room = Filling::MAX_BYTES - overhead - 2;
    assert_eq!(encode(&Filling(vec![true; room])).unwrap().len(), Filling::MAX_BYTES);
    let error = encode(&Filling(vec![true; room + 1])).unwrap_err();
    assert!(matches!(error, CodecError::TooLarge { actual: 1001, limit: 1000, .. }), "{error:?}");
    assert!(matches!(decode::<Filling>(&[0; 1001]), Err(CodecError::TooLarge { .. })));
    assert!(matches!(decode::<PlanJob>(&vec![0xc0; MAX_JOB_BYTES + 1]), Err(CodecError::TooLarge { .. })));
}

#[test]
fn bytes_after_the_value_are_refused() {
    let mut bytes = encode(&plan_job()).unwrap();
    bytes.extend([0xc0, 0xc0]);
    assert!(matches!(decode::<PlanJob>(&bytes), Err(CodecError::TrailingBytes { extra: 2, .. })));
}

/// A map `format, version, body` whose body is `levels` arrays inside of each other.
fn nested(levels: usize) -> Vec<u8> {
    let mut bytes = vec![0x83, 0xa6];
    bytes.extend(b"format");
    bytes.extend([0xa0 | PlanJob::NAME.len() as u8]);
    bytes.extend(PlanJob::NAME.as_bytes());
    bytes.extend([0xa7]);
    bytes.extend(b"version");
    bytes.extend([0x01, 0xa4]);
    bytes.extend(b"body");
    bytes.extend(std::iter::repeat_n(0x91, levels));
    bytes.push(0xc0);
    bytes
}

#[test]
fn nesting_without_end_is_an_error_and_no_stack_overflow() {
    for levels in [30, 1000, MAX_JOB_BYTES - 60] {
        let error = decode::<PlanJob>(&nested(levels)).unwrap_err();
        assert!(matches!(error, CodecError::Malformed { .. }), "{levels} levels: {error:?}");
    }
}

#[test]
fn a_list_that_claims_to_be_longer_than_its_bytes_takes_no_memory() {
    // An array of 2^32 - 1 elements, of which none is there, in the place of every field in turn.
    let whole = encode(&tracks()).unwrap();
    for at in 0..whole.len() {
        let mut bytes = whole[..at].to_vec();
        bytes.extend([0xdd, 0xff, 0xff, 0xff, 0xff]);
        assert!(decode::<Tracks>(&bytes).is_err(), "cut at {at}");
    }
}

#[test]
fn values_that_break_a_types_contract_are_refused_when_read() {
    let bytes = encode(&plan_job()).unwrap();
    let id = b"TEST-S01E01";
    let at = bytes.windows(id.len()).position(|part| part == id).expect("the id is in the bytes");
    let mut hostile = bytes;
    hostile[at..at + id.len()].copy_from_slice(b"../../../et");
    let error = decode::<PlanJob>(&hostile).unwrap_err();
    let CodecError::Malformed { source, .. } = error else { panic!("{error:?}") };
    assert!(source.to_string().contains("episode id"), "{source}");
}

fn decode_as_everything(bytes: &[u8]) {
    fn decode_as<T: Format>(_: &T, bytes: &[u8]) {
        // Whether it is an error does not matter here: it must come back.
        let _ = decode::<T>(bytes);
    }
    macro_rules! check {
        ($value:expr) => {
            decode_as($value, bytes)
        };
    }
    for_every_format!(check);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        decode_as_everything(&bytes);
    }

    #[test]
    fn damaged_values_never_panic(at in 0_usize..4000, replacement in any::<u8>(), cut in 0_usize..4000) {
        for whole in [
            encode(&plan()).unwrap(),
            encode(&detections_part()).unwrap(),
            encode(&tracks()).unwrap(),
            encode(&run_request()).unwrap(),
        ] {
            let mut bytes = whole;
            let len = bytes.len();
            bytes[at % len] = replacement;
            let _ = (decode::<Plan>(&bytes), decode::<DetectionsPart>(&bytes), decode::<Tracks>(&bytes));
            let _ = decode::<RunRequest>(&bytes);
            bytes.truncate(cut % len);
            prop_assert!(decode::<Plan>(&bytes).is_err() && decode::<DetectionsPart>(&bytes).is_err());
            prop_assert!(decode::<Tracks>(&bytes).is_err() && decode::<RunRequest>(&bytes).is_err());
        }
    }
}
