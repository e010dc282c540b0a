//! The vocabulary of facereel.
//!
//! Everything here is plain data with its validation, and pure functions over it: no I/O, no async, no clock, no
//! randomness. Every other crate speaks in these types, so that a box, a timestamp or an id means the same everywhere.
//!
//! Promises:
//!
//! 1. A value that exists is valid: constructors and `Deserialize` refuse what breaks a type's contract.
//! 2. Coordinates are pixels of the source frame as displayed (rotation flag applied), unless a name says otherwise.
//! 3. Equal inputs give equal outputs, on every platform, in every order of calls.

pub mod cause;
pub mod detection;
pub mod digest;
pub mod embedding;
pub mod geometry;
pub mod ids;
pub mod layout;
pub mod pipeline;
pub mod settings;
pub mod shot;
pub mod source;
pub mod spread;
pub mod time;
