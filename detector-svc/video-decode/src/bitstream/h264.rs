//! H.264 (ITU-T H.264, 7.3.1 and 7.4.1): `nal_ref_idc`, IDR pictures and recovery points.

use super::Picture;
use super::nal::{Units, unescaped};

const SLICE: u8 = 1;
const PARTITION_C: u8 = 4;
const IDR_SLICE: u8 = 5;
const SEI: u8 = 6;

/// The picture in an access unit.
///
/// A keyframe is a seek point where it is an IDR picture, or where a recovery point message says that decoding from here
/// is exact from this very picture on. Containers also flag I-frames that later frames see past, and the starts of
/// periodic intra refresh.
pub(super) fn picture(units: Units<'_>, is_key: bool) -> Picture {
    let (mut has_reference, mut has_slice, mut is_idr, mut recovers) = (false, false, false, false);
    for unit in units {
        let Some(header) = unit.first() else { continue };
        match header & 31 {
            SLICE..=PARTITION_C => {
                has_slice = true;
                has_reference |= header >> 5 != 0;
            }
            IDR_SLICE => {
                has_slice = true;
                has_reference = true;
                is_idr = true;
            }
            SEI => recovers |= is_exact_recovery_point(unit),
            _ => {}
        }
    }
    Picture {
        is_reference: has_slice.then_some(has_reference),
        is_seek_point: is_key && (is_idr || recovers),
        is_closed: is_idr,
        ..Picture::opaque(is_key)
    }
}

/// Whether an SEI unit holds a recovery point (D.1.8) with `recovery_frame_cnt` 0, exact, and no broken link.
fn is_exact_recovery_point(unit: &[u8]) -> bool {
    const RECOVERY_POINT: usize = 6;
    let payload = unescaped(unit);
    let mut rest = &payload[1..];
    while rest.len() > 2 {
        let Some(kind) = take_extended(&mut rest) else { return false };
        let Some(len) = take_extended(&mut rest) else { return false };
        let Some((message, after)) = rest.split_at_checked(len) else { return false };
        if kind == RECOVERY_POINT {
            // Bits: ue(v) recovery_frame_cnt (0 is a single 1), exact_match_flag, broken_link_flag.
            return message.first().is_some_and(|b| b & 0b1110_0000 == 0b1100_0000);
        }
        rest = after;
    }
    false
}

/// An SEI message's type or size: bytes of 255 add up, the first smaller one ends it.
fn take_extended(rest: &mut &[u8]) -> Option<usize> {
    let mut value = 0;
    loop {
        let (byte, after) = rest.split_first()?;
        *rest = after;
        value += usize::from(*byte);
        if *byte != 255 {
            return Some(value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::nal::Framing;
    use super::*;

    fn read(data: &[u8]) -> Picture {
        picture(Framing::StartCodes.units(data), true)
    }

    #[test]
    fn only_idr_and_exact_recovery_points_are_seek_points() {
        assert!(read(&[0, 0, 1, 0x65, 0x88]).is_seek_point);
        assert!(!read(&[0, 0, 1, 0x61, 0x88]).is_seek_point);
        let recovery = |flags: u8| [0, 0, 1, 6, 6, 1, flags, 0x80, 0, 0, 1, 0x61, 0x88];
        assert!(read(&recovery(0b1100_0100)).is_seek_point);
        assert!(!read(&recovery(0b1000_0100)).is_seek_point, "inexact");
        assert!(!read(&recovery(0b0100_0100)).is_seek_point, "recovers later");
        assert!(!read(&recovery(0b1110_0100)).is_seek_point, "broken link");
    }

    #[test]
    fn a_picture_is_needed_where_any_of_its_slices_is() {
        assert_eq!(read(&[0, 0, 1, 0x01, 9]).is_reference, Some(false));
        assert_eq!(read(&[0, 0, 1, 0x01, 9, 0, 0, 1, 0x21, 9]).is_reference, Some(true));
        assert_eq!(read(&[0, 0, 1, 0x09, 9]).is_reference, None, "no slice, no claim");
    }

    #[test]
    fn broken_messages_are_no_recovery_points() {
        assert!(!is_exact_recovery_point(&[6]));
        assert!(!is_exact_recovery_point(&[6, 255, 255, 255]));
        assert!(!is_exact_recovery_point(&[6, 6, 200, 0xc4]));
    }
}
