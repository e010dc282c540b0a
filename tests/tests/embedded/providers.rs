//! What a run's models run on.

use facereel_tests::clip::Clip;
use facereel_tests::program::Call;
use facereel_tests::results::entries;
use rstest::rstest;
use tempfile::tempdir;

#[rstest]
#[case::detector("detect.provider=cuda")]
#[case::embedder("embed.provider=cuda")]
fn a_card_that_the_library_does_not_know_is_refused_before_anything_is_done(#[case] provider: &str) {
    let out = tempdir().unwrap();
    let ended = Call::run(&Clip::of_everything().video(), out.path()).with(&["--set", provider]).finish();
    assert_eq!(ended.code, Some(4), "{}", ended.said);
    assert!(ended.said.contains("has no CUDA provider: set models.onnxruntime"), "{}", ended.said);
    assert!(entries(out.path()).is_empty(), "{}", ended.said);
}

#[test]
fn an_embedder_that_is_off_needs_no_card() {
    let out = tempdir().unwrap();
    let settings = ["--no-embed", "--set", "embed.provider=cuda"];
    Call::run(&Clip::of_everything().video(), out.path()).with(&settings).succeed();
}
