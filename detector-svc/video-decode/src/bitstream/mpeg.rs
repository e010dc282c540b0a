//! MPEG-1 and MPEG-2 video (ISO/IEC 13818-2, 6.2.2.6 and 6.2.3): B-pictures and closed groups.

use super::Picture;
use super::nal::find_start_code;

const PICTURE: u8 = 0x00;
const FIRST_SLICE: u8 = 0x01;
const LAST_SLICE: u8 = 0xAF;
const GROUP: u8 = 0xB8;
const B_PICTURE: u8 = 3;

/// The picture in a packet: B-pictures are never referred to; a group says whether it stands alone.
pub(super) fn picture(data: &[u8], is_key: bool) -> Picture {
    let mut picture = Picture { is_closed: false, ..Picture::opaque(is_key) };
    let mut rest = data;
    while let Some(at) = find_start_code(rest) {
        rest = &rest[at + 3..];
        match rest {
            // time_code (25 bits), then closed_gop.
            [GROUP, _, _, _, flags, ..] => picture.is_closed = flags & 0x40 != 0,
            // temporal_reference (10 bits), then picture_coding_type (3 bits).
            [PICTURE, _, kind, ..] => picture.is_reference = Some(kind >> 3 & 7 != B_PICTURE),
            [FIRST_SLICE..=LAST_SLICE, ..] => break,
            _ => {}
        }
    }
    picture
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn picture_headers_tell_b_pictures_and_group_headers_closed_groups() {
        let with =
            |flags: u8, kind: u8| [0, 0, 1, 0xB8, 0, 0, 0, flags, 0, 0, 1, 0, 0, kind << 3, 0, 0, 0, 1, 1];
        let i_closed = picture(&with(0x40, 1), true);
        assert!(i_closed.is_closed && i_closed.is_seek_point && i_closed.is_reference == Some(true));
        let b_open = picture(&with(0x00, 3), false);
        assert!(!b_open.is_closed && b_open.is_reference == Some(false));
    }
}
