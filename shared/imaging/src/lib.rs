//! Images in memory: what happens to pixels between the video decoder and the models.
//!
//! Pure functions over owned, tightly packed eight-bit images. Equal inputs give equal bytes, on any thread. Deliberately
//! absent: files, video frames (planes are cut and converted where they are decoded) and tensors.

pub mod align;
mod grid;
pub mod image;
pub mod jpeg;
pub mod pose;
pub mod quality;
pub mod shrink;

pub use image::{ImageError, RgbImage};
