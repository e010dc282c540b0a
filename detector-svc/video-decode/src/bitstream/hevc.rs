//! HEVC (ITU-T H.265, table 7-1): picture types straight from the NAL unit header.

use super::Picture;
use super::nal::Units;

/// Even types below this are sub-layer non-reference pictures.
const FIRST_RESERVED_REFERENCE: u8 = 16;
const LAST_SLICE: u8 = 31;
const RANDOM_ACCESS: std::ops::RangeInclusive<u8> = 16..=21;
const RASL: std::ops::RangeInclusive<u8> = 8..=9;

/// The picture in an access unit. Whether a non-reference picture is really needed by none also depends on the number of
/// temporal sub-layers, which only the whole stream tells.
pub(super) fn picture(units: Units<'_>) -> Picture {
    for unit in units {
        let [first, second, ..] = unit else { continue };
        let kind = first >> 1 & 63;
        if kind > LAST_SLICE {
            continue;
        }
        let is_reference = kind >= FIRST_RESERVED_REFERENCE || kind % 2 == 1;
        return Picture {
            is_reference: Some(is_reference),
            is_seek_point: RANDOM_ACCESS.contains(&kind),
            is_closed: true,
            is_skipped_leading: RASL.contains(&kind),
            is_shown: true,
            temporal_id: (second & 7).saturating_sub(1),
        };
    }
    Picture::opaque(false)
}

#[cfg(test)]
mod tests {
    use super::super::nal::Framing;
    use super::*;

    fn read(kind: u8, temporal_id: u8) -> Picture {
        picture(Framing::StartCodes.units(&[0, 0, 1, kind << 1, temporal_id + 1, 0]))
    }

    #[test]
    fn nal_types_tell_references_seek_points_and_leading_pictures() {
        let (trail_n, trail_r, rasl_n, idr, cra, sps) = (0, 1, 8, 19, 21, 33);
        assert_eq!(read(trail_n, 0).is_reference, Some(false));
        assert_eq!(read(trail_r, 0).is_reference, Some(true));
        assert!(read(rasl_n, 0).is_skipped_leading && !read(trail_n, 0).is_skipped_leading);
        assert!(read(idr, 0).is_seek_point && read(cra, 0).is_seek_point && !read(trail_r, 0).is_seek_point);
        assert_eq!(read(trail_n, 2).temporal_id, 2);
        assert_eq!(read(sps, 0).is_reference, None);
    }
}
