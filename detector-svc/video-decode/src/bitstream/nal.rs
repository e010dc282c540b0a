//! NAL units of H.264 and HEVC, in both framings.

/// How NAL units lie in packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framing {
    /// A big-endian length of so many bytes before each unit (mp4, mkv).
    Length(usize),
    /// Start codes 00 00 01 between units (ts, avi).
    StartCodes,
}

impl Framing {
    /// By an `AVCDecoderConfigurationRecord` (ISO/IEC 14496-15, 5.3.3.1) or its absence.
    pub(crate) fn of_h264(extradata: &[u8]) -> Self {
        match extradata {
            [1, _, _, _, sizes, ..] => Self::Length(usize::from(sizes & 3) + 1),
            _ => Self::StartCodes,
        }
    }

    /// By an `HEVCDecoderConfigurationRecord` (ISO/IEC 14496-15, 8.3.3.1) or its absence.
    pub(crate) fn of_hevc(extradata: &[u8]) -> Self {
        let is_record = extradata.len() > 21 && (extradata[0] != 0 || extradata[1] != 0 || extradata[2] > 1);
        if is_record { Self::Length(usize::from(extradata[21] & 3) + 1) } else { Self::StartCodes }
    }

    /// The units of a packet, without framing, with emulation prevention bytes.
    pub(crate) fn units(self, data: &[u8]) -> Units<'_> {
        match self {
            Self::Length(_) => Units { framing: self, rest: data },
            Self::StartCodes => Units { framing: self, rest: after_start_code(data).unwrap_or_default() },
        }
    }
}

/// Iterates over the units of a packet; ends where lengths make no sense.
#[derive(Debug, Clone)]
pub(crate) struct Units<'a> {
    framing: Framing,
    rest: &'a [u8],
}

impl<'a> Iterator for Units<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        match self.framing {
            Framing::Length(bytes) => {
                let (prefix, rest) = self.rest.split_at_checked(bytes)?;
                let len = prefix.iter().fold(0_usize, |n, b| n << 8 | usize::from(*b));
                let (unit, rest) = rest.split_at(len.min(rest.len()));
                self.rest = rest;
                Some(unit)
            }
            Framing::StartCodes => {
                if self.rest.is_empty() {
                    return None;
                }
                let end = find_start_code(self.rest).unwrap_or(self.rest.len());
                let unit = &self.rest[..end];
                self.rest = self.rest.get(end + 3..).unwrap_or_default();
                Some(unit)
            }
        }
    }
}

/// Position of the next 00 00 01.
pub(crate) fn find_start_code(data: &[u8]) -> Option<usize> {
    let mut at = 0;
    while let Some(third) = data.get(at + 2) {
        match third {
            0 => at += 1,
            1 if data[at] == 0 && data[at + 1] == 0 => return Some(at),
            _ => at += 3,
        }
    }
    None
}

fn after_start_code(data: &[u8]) -> Option<&[u8]> {
    find_start_code(data).map(|at| &data[at + 3..])
}

/// A unit's payload without emulation prevention bytes (the 3 in 00 00 03).
pub(crate) fn unescaped(unit: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(unit.len());
    for (i, byte) in unit.iter().enumerate() {
        let is_prevention = *byte == 3 && i >= 2 && unit[i - 1] == 0 && unit[i - 2] == 0;
        if !is_prevention {
            out.push(*byte);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn both_framings_give_the_same_units() {
        let by_length = [0, 0, 0, 2, 0x67, 9, 0, 0, 0, 1, 0x65];
        let by_code = [0, 0, 0, 1, 0x67, 9, 0, 0, 1, 0x65];
        let want: Vec<&[u8]> = vec![&[0x67, 9], &[0x65]];
        assert_eq!(Framing::Length(4).units(&by_length).collect::<Vec<_>>(), want);
        assert_eq!(Framing::StartCodes.units(&by_code).collect::<Vec<_>>(), want);
    }

    #[test]
    fn emulation_prevention_is_taken_out() {
        assert_eq!(unescaped(&[6, 0, 0, 3, 1, 3, 0, 0, 3]), [6, 0, 0, 1, 3, 0, 0]);
    }

    proptest! {
        #[test]
        fn garbage_ends(data in proptest::collection::vec(0_u8..4, 0..200), bytes in 1_usize..5) {
            prop_assert!(Framing::Length(bytes).units(&data).count() <= data.len());
            prop_assert!(Framing::StartCodes.units(&data).count() <= data.len());
        }
    }
}
