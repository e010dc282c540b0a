//! What stages tell each other: jobs on the queues and objects in the store.
//!
//! Promises:
//!
//! 1. Bytes are MessagePack maps with named fields inside an envelope of format name and version.
//! 2. Equal values give equal bytes.
//! 3. Decoding never panics and never uses memory out of proportion to the input: size and depth are limited, and
//!    every field is validated by its type.
//! 4. A version that this build does not know is an error of its own, so that an operator sees an old worker for what
//!    it is.
//!
//! Deliberately absent: images in messages. Jobs point to objects (claim check).

pub mod codec;
pub mod jobs;
pub mod objects;

pub use codec::{CodecError, Format, decode, encode};
