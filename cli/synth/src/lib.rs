//! Composes video clips with exact ground truth from face photos.
//!
//! A pipeline that finds faces can only be judged on video whose faces are known. Hand-made truth is rare, and video of
//! people may seldom be passed on; so this crate makes its own: people cut out of photos walk, cross, hide each
//! other and are cut away by the editor, and since every movement is a formula, every box is known.
//!
//! How it fits together: a [`Cast`] is cut out of photos, those of the packages or others in which somebody's detector
//! found the faces; a [`ClipSpec`] is turned into a *storyboard* of shots with actors on paths (pure), which gives
//! both the *truth* of each frame (pure) and its *pixels* (the painter). [`compose`] writes both; [`Film`] gives access
//! frame by frame.
//!
//! Promises:
//! 1. The same specification gives the same truth, byte by byte, on every machine.
//! 2. A shot's background differs from its neighbours': cuts are visible. No background holds a face.
//! 3. During a static stretch the frames are identical before encoding.
//!
//! Deliberately absent: speech, change of expression, sound, motion blur, lens effects. A detector's recall here says
//! little about real faces; a tracker's mistakes here are mistakes.

mod actor;
mod backdrop;
mod camera;
mod cast;
mod compose;
mod cutout;
mod effects;
mod encode;
mod error;
mod film;
mod packaged;
mod paint;
mod path;
mod photo;
mod random;
mod scene;
mod spec;
mod storyboard;
mod truth;
mod truth_files;

pub use cast::{Cast, Portrait};
pub use compose::{ClipSummary, compose};
pub use error::SynthError;
pub use film::{Film, ShotSummary};
pub use photo::read as read_photo;
pub use spec::{ClipSpec, Preset, Rate, UnknownPreset};
pub use truth::FaceTruth;
