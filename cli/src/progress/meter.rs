//! Rates and times left, from counts and seconds.

/// Units a second; `None` where there is nothing to tell it from.
pub(crate) fn rate(units: u64, elapsed_sec: f64) -> Option<f64> {
    (units > 0 && elapsed_sec > 0.05).then(|| units as f64 / elapsed_sec)
}

/// Seconds until `left` units are done at `rate`.
pub(crate) fn eta_sec(left: u64, rate: Option<f64>) -> Option<f64> {
    if left == 0 { Some(0.0) } else { rate.map(|rate| left as f64 / rate) }
}

/// `1:02:03`, `4:05` or `0:07`.
pub(crate) fn clock(seconds: f64) -> String {
    let whole = seconds.max(0.0).round() as u64;
    let (hours, minutes, seconds) = (whole / 3600, whole / 60 % 60, whole % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_takes_as_long_as_its_share_of_what_is_done() {
        let rate = rate(300, 10.0);
        assert_eq!(rate, Some(30.0));
        assert_eq!(eta_sec(600, rate), Some(20.0));
        assert_eq!(eta_sec(0, None), Some(0.0));
    }

    #[test]
    fn nothing_is_foretold_from_nothing() {
        assert_eq!(rate(0, 10.0), None);
        assert_eq!(rate(10, 0.0), None);
        assert_eq!(eta_sec(10, None), None);
    }

    #[test]
    fn times_read_like_a_clock() {
        assert_eq!(clock(7.4), "0:07");
        assert_eq!(clock(245.0), "4:05");
        assert_eq!(clock(3723.0), "1:02:03");
        assert_eq!(clock(-1.0), "0:00");
    }
}
