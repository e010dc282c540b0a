//! Judges tracks and shots against ground truth.
//!
//! How it fits together: [`formats`] reads ground truth and tracks as text; [`judged::compare`] decides which faces count and which
//! boxes are excused, and leaves a [`sequence::Sequence`] of plain ids and overlaps; [`hota`], [`clear`] and
//! [`identity`] measure it, [`people`] counts what users notice (mixed people, lost faces by size), and [`report`] puts
//! all into one table, also over several sequences.
//!
//! Promises:
//!
//! 1. The same figures as `TrackEval` within a tenth of a point, quirks included: they are compared with published ones.
//! 2. Frames count from 0 here; what counts from 1 (`MOTChallenge`) is converted where it is read.
//! 3. Equal inputs give equal figures, whatever the order of rows in a frame.
//!
//! Deliberately absent: files, stores, and any code of the tracker that is judged.

mod assignment;
pub mod clear;
pub mod formats;
pub mod hota;
pub mod identity;
pub mod judged;
pub mod people;
pub mod report;
pub mod sequence;
pub mod shots;
