//! The knobs that are measured: what each is set to before the optimisation plan, by the plan, and by the defaults.
//!
//! The plan wrote durations as frames; here they are what those frames last at the clip's rate, as settings are in
//! seconds. Defaults are not repeated: a row's third value is "nothing set".

/// A value of a setting.
#[derive(Debug, Clone, Copy)]
pub(super) enum Value {
    /// As on the command line.
    Text(&'static str),
    /// So many frames, in seconds.
    Frames(f64),
}

/// Settings with their values.
pub(super) type Assignments = &'static [(&'static str, Value)];

/// A knob of the plan.
#[derive(Debug, Clone, Copy)]
pub(super) struct Knob {
    /// Its number in the plan.
    pub(super) task: &'static str,
    /// What it is about.
    pub(super) name: &'static str,
    /// As it was.
    pub(super) before: Assignments,
    /// As the plan wanted it; empty where that is our default too.
    pub(super) planned: Assignments,
    /// Whether other settings are changed too, so that what the knob does by itself can be seen. Such a row says nothing
    /// about the plan as a whole.
    pub(super) is_isolated: bool,
}

use Value::{Frames, Text};

/// All knobs that change what a run does or takes, in the plan's order.
pub(super) static KNOBS: [Knob; 20] = [
    knob("A1", "gap", &[("track.max_gap_sec", Text("2.5"))]),
    knob("A2", "buffer", &[("track.buffer_sec", Frames(25.0))]),
    Knob {
        planned: &[("track.relink_gap_sec", Text("0"))],
        ..alone(
            "A2",
            "buffer, nothing joined",
            &[("track.buffer_sec", Frames(25.0)), ("track.relink_gap_sec", Text("0"))],
        )
    },
    knob("A3", "shortest track", &[("track.min_observations", Text("1"))]),
    knob("A3", "samples a track", &[("track.sample_limit", Text("0"))]),
    knob("B1", "stride", &[("detect.stride", Text("1"))]),
    Knob { planned: &[("track.process_skip", Text("6"))], ..knob("B2", "work in turns", &[]) },
    Knob {
        planned: &[("crops.skip", Text("8")), ("crops.per_track", Text("0"))],
        ..knob("B3", "crops", &[("crops.per_track", Text("0"))])
    },
    knob("B4", "unchanged frames", &[("detect.skip_unchanged", Text("false"))]),
    Knob { planned: &[("limits.threads", Text("2"))], ..knob("C1", "threads", &[]) },
    Knob { planned: &[("limits.cpu_percent", Text("250"))], ..knob("C2", "CPU limit", &[]) },
    knob("C3", "writers", &[("export.queue_depth", Text("1"))]),
    knob("D1", "decoding", &[("detect.decode_skip", Text("false"))]),
    Knob {
        planned: &[("detect.min_face_px", Text("90"))],
        ..knob("E1", "smallest face", &[("detect.min_face_px", Text("64"))])
    },
    Knob { planned: &[("detect.adaptive_threshold", Text("true"))], ..knob("E2", "threshold by shot", &[]) },
    knob("F1", "cooldown of cuts", &[("shots.cooldown_sec", Text("0"))]),
    Knob {
        planned: &[("gate.every_sec", Frames(24.0))],
        ..knob("G1", "gate", &[("gate.every_sec", Frames(10.0))])
    },
    Knob {
        planned: &[
            ("gate.every_sec", Frames(24.0)),
            ("track.sample_limit", Text("1")),
            ("detect.stride", Text("2")),
        ],
        ..alone(
            "G1",
            "gate, next to no samples",
            &[
                ("gate.every_sec", Frames(10.0)),
                ("track.sample_limit", Text("1")),
                ("detect.stride", Text("2")),
            ],
        )
    },
    Knob {
        planned: &[("embed.batch_size", Text("8"))],
        ..knob("G2", "batch", &[("embed.batch_size", Text("1"))])
    },
    Knob { planned: &[("embed.batch_size", Text("32"))], ..knob("G2", "batch, larger", &[]) },
];

/// A knob whose planned value is our default.
const fn knob(task: &'static str, name: &'static str, before: Assignments) -> Knob {
    Knob { task, name, before, planned: &[], is_isolated: false }
}

/// The same with what would hide the knob's effect set aside.
const fn alone(task: &'static str, name: &'static str, before: Assignments) -> Knob {
    Knob { is_isolated: true, ..knob(task, name, before) }
}

/// Every knob as it was before the plan, at once.
pub(super) fn all_before() -> impl Iterator<Item = &'static (&'static str, Value)> {
    KNOBS.iter().filter(|knob| !knob.is_isolated).flat_map(|knob| knob.before)
}

/// One task of the plan as it was before, all else left at the defaults.
pub(super) fn before(task: &str) -> impl Iterator<Item = &'static (&'static str, Value)> {
    KNOBS.iter().filter(move |knob| knob.task == task && !knob.is_isolated).flat_map(|knob| knob.before)
}

/// Flags of `facereel run` that set these at `fps` frames a second.
pub(super) fn flags<'a>(
    assignments: impl IntoIterator<Item = &'a (&'static str, Value)>,
    fps: f64,
) -> Vec<String> {
    let assigned = assignments.into_iter().map(|(path, value)| match value {
        Text(text) => format!("{path}={text}"),
        Frames(frames) => format!("{path}={:.4}", frames / fps),
    });
    assigned.flat_map(|text| ["--set".to_owned(), text]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::{Cli, Command};
    use clap::Parser as _;

    #[test]
    fn every_value_is_one_that_settings_take() {
        let sets = KNOBS.iter().flat_map(|knob| [knob.before, knob.planned]);
        for set in sets {
            let line = ["facereel", "run", "a.mp4"].map(str::to_owned).into_iter().chain(flags(set, 24.0));
            let Command::Run(run) = Cli::try_parse_from(line).unwrap().command else { panic!("no run") };
            run.settings.resolve().unwrap();
        }
    }

    #[test]
    fn the_plan_as_a_whole_has_each_setting_once() {
        let mut paths: Vec<_> = all_before().map(|(path, _)| path).collect();
        let count = paths.len();
        paths.sort();
        paths.dedup();
        assert_eq!(paths.len(), count);
    }

    #[test]
    fn frames_become_seconds_at_the_clips_rate() {
        assert_eq!(flags(&[("gate.every_sec", Frames(10.0))], 25.0), ["--set", "gate.every_sec=0.4000"]);
    }
}
