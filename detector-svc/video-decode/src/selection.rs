//! Which frames of a segment somebody needs.

use facereel_domain::time::Pts;

/// What may be left out of decoding where nobody wants the frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SkipMode {
    /// Nothing: every frame comes out.
    None,
    /// Unwanted frames that no other frame refers to. All others come out bit for bit as if everything were decoded.
    NonReference,
    /// In addition the loop filter of every frame: about a sixth less work, but frames differ from a full decode (40 to
    /// 46 dB), more so towards the end of a group.
    NonReferenceAndLoopFilter,
}

/// Which frames are wanted.
#[derive(Debug, Clone)]
pub enum Selection {
    /// All of them.
    All,
    /// Those at the given timestamps. Frames that are decoded on the way come out too.
    Wanted {
        /// Timestamps, ascending.
        pts: Vec<Pts>,
        /// What is left out.
        skip: SkipMode,
    },
}

impl Selection {
    pub(crate) fn wants(&self, pts: Pts) -> bool {
        match self {
            Self::All => true,
            Self::Wanted { pts: wanted, .. } => wanted.binary_search(&pts).is_ok(),
        }
    }

    pub(crate) fn skip_mode(&self) -> SkipMode {
        match self {
            Self::All => SkipMode::None,
            Self::Wanted { skip, .. } => *skip,
        }
    }
}
