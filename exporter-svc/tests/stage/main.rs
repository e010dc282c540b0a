//! The export stage and verification on hand-made objects in a store in memory.

#![expect(clippy::unwrap_used, reason = "a test that can't go on fails where it stands")]
#![expect(clippy::case_sensitive_file_extension_comparisons, reason = "the names are our own")]

mod assembling;
mod contradictions;
mod cropping;
mod damage;
mod episode;
mod erasing;
mod exporting;
mod harness;
mod hostile;
mod judging;
mod schemas;
mod verifying;
