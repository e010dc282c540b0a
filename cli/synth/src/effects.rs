//! Light and camera: dark scenes, fades, flashes, stretches of time in which nothing moves, hands that shake.

use crate::camera::Shake;

/// What happens to a whole shot; times in seconds from its start.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Effects {
    /// Brightness of the scene, 1 = as photographed.
    pub(crate) light: f64,
    /// Everything stands still from the first to the second time.
    pub(crate) still_sec: Option<[f64; 2]>,
    /// A camera flash goes off.
    pub(crate) flash_at_sec: Option<f64>,
    /// The picture comes out of black for so long.
    pub(crate) fade_in_sec: f64,
    /// The picture goes to black for so long.
    pub(crate) fade_out_sec: f64,
    /// How the camera is held.
    pub(crate) shake: Shake,
}

impl Effects {
    pub(crate) const NONE: Self = Self {
        light: 1.0,
        still_sec: None,
        flash_at_sec: None,
        fade_in_sec: 0.0,
        fade_out_sec: 0.0,
        shake: Shake::NONE,
    };

    /// The moment that is shown `t_sec` into the shot: in a static stretch it is the stretch's start.
    pub(crate) fn shown_sec(&self, t_sec: f64) -> f64 {
        match self.still_sec {
            Some([from, to]) if t_sec >= from && t_sec < to => from,
            _ => t_sec,
        }
    }

    /// The exposure `t_sec` into a shot of `length_sec`.
    pub(crate) fn exposure(&self, t_sec: f64, length_sec: f64) -> Exposure {
        let part =
            |elapsed: f64, whole: f64| if whole > 0.0 { (elapsed / whole).clamp(0.0, 1.0) } else { 1.0 };
        let fade = part(t_sec, self.fade_in_sec) * part(length_sec - t_sec, self.fade_out_sec);
        let flash = self.flash_at_sec.map_or(0.0, |at| {
            let since = (t_sec - at) / FLASH_SEC;
            if (0.0..1.0).contains(&since) { 0.92 * (1.0 - since) } else { 0.0 }
        });
        Exposure { light: self.light, fade, flash }
    }
}

/// A flash lights the picture for so long, weaker and weaker.
const FLASH_SEC: f64 = 0.17;

/// How bright a frame is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Exposure {
    light: f64,
    /// What a fade leaves, 0 to 1.
    fade: f64,
    /// How far the flash has turned the picture white, 0 to 1.
    flash: f64,
}

impl Exposure {
    /// How much of a face is left to see. Dim light does not count: finding faces in the dark is asked for.
    pub(crate) fn visibility(&self) -> f64 {
        self.fade * (1.0 - self.flash)
    }

    /// The new value of each 8-bit value; `None` where nothing changes.
    pub(crate) fn table(&self) -> Option<[u8; 256]> {
        let gain = self.light * self.fade;
        if gain >= 1.0 && self.flash <= 0.0 {
            return None;
        }
        Some(std::array::from_fn(|v| {
            let lit = v as f64 * gain;
            (lit + (255.0 - lit) * self.flash + 0.5) as u8
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fade_ends_in_black_and_a_flash_in_what_was_there_before() {
        let fade = Effects { fade_out_sec: 1.0, ..Effects::NONE };
        assert_eq!(fade.exposure(5.0, 5.0).table().map(|t| t[255]), Some(0));
        assert!(fade.exposure(4.0, 5.0).table().is_none());
        let flash = Effects { flash_at_sec: Some(1.0), ..Effects::NONE };
        assert!(flash.exposure(1.0, 5.0).table().is_some_and(|t| t[0] > 200));
        assert!(flash.exposure(1.2, 5.0).table().is_none());
    }

    #[test]
    fn time_stands_still_in_a_static_stretch_only() {
        let still = Effects { still_sec: Some([1.0, 2.0]), ..Effects::NONE };
        let shown: Vec<f64> = [0.5, 1.0, 1.9, 2.0].map(|t| still.shown_sec(t)).to_vec();
        assert_eq!(shown, [0.5, 1.0, 1.0, 2.0]);
    }
}
