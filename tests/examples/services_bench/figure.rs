//! Queues and replicas over time as an SVG: readable on light and dark pages, and without a script.

use std::fmt::Write as _;

use facereel_domain::pipeline::Stage;
use facereel_tests::rehearsal::play::{FASTER, Look, Record};

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 460.0;
/// The left and right ends of the time axis.
const LEFT: f64 = 70.0;
const RIGHT: f64 = 745.0;
/// Top and bottom of the upper part, with the queues.
const TOP: f64 = 40.0;
const FLOOR: f64 = 210.0;
/// Where the lower part begins, and what each stage has of it.
const BANDS: f64 = 240.0;
const BAND: f64 = 36.0;
/// As much of a band is drawn in.
const FULL: f64 = 28.0;
/// In the order of [`Stage::ALL`]: told apart without seeing red or green, and on white as well as on black.
const COLOURS: [&str; 5] = ["#0c8ce9", "#e69f00", "#cc79a7", "#0aa37f", "#d55e00"];
const STYLE: &str = "text{font:12px sans-serif;fill:#57606a}.axis{stroke:#8b949e;stroke-width:1}\
    .grid{stroke:#8b949e;stroke-opacity:.25}.line{fill:none;stroke-width:1.8}.loss{stroke:#57606a;stroke-width:1.6}\
    @media(prefers-color-scheme:dark){text{fill:#b1bac4}.loss{stroke:#e6edf3}}";

/// The figure as a file.
pub(crate) fn drawn(record: &Record) -> String {
    let plot = Plot {
        duration_sec: record.duration().as_secs_f64().max(1.0),
        most_jobs: record.looks.iter().flat_map(|look| look.jobs.iter().copied()).max().unwrap_or(0).max(1)
            as f64,
        most_replicas: f64::from(record.most_replicas().into_iter().max().unwrap_or(0).max(1)),
    };
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\
         \"Jobs in the queues and replicas of each stage over the time of a rehearsal\">\n<style>{STYLE}</style>\n"
    );
    plot.axes(&mut svg);
    for (stage, colour) in COLOURS.into_iter().enumerate() {
        plot.jobs(&mut svg, &record.looks, (stage, colour));
        plot.replicas(&mut svg, &record.looks, (stage, colour));
    }
    for loss in &record.losses {
        let band = Stage::ALL.iter().position(|stage| *stage == loss.stage).unwrap_or_default();
        plot.loss(&mut svg, loss.at.as_secs_f64(), band);
    }
    svg.push_str("</svg>\n");
    svg
}

struct Plot {
    duration_sec: f64,
    most_jobs: f64,
    most_replicas: f64,
}

impl Plot {
    fn x(&self, seconds: f64) -> f64 {
        LEFT + seconds / self.duration_sec * (RIGHT - LEFT)
    }

    fn axes(&self, svg: &mut String) {
        let (bottom, middle) = (bottom_of(Stage::ALL.len() - 1) + 8.0, f64::midpoint(LEFT, RIGHT));
        text(svg, (LEFT, 16.0), "start", "jobs waiting or held, by stage");
        for (stage, colour) in COLOURS.into_iter().enumerate() {
            let x = LEFT + 210.0 + 90.0 * stage as f64;
            put(svg, &format!("<path d=\"M{x} 12h18\" stroke=\"{colour}\" stroke-width=\"4\"/>"));
            text(svg, (x + 24.0, 16.0), "start", Stage::ALL[stage].as_str());
        }
        let step = step_of(self.most_jobs);
        for jobs in steps(self.most_jobs, step) {
            let y = self.height_of(jobs);
            put(svg, &format!("<path class=\"grid\" d=\"M{LEFT} {y:.1}H{RIGHT}\"/>"));
            text(svg, (LEFT - 8.0, y + 4.0), "end", &format!("{jobs:.0}"));
        }
        text(
            svg,
            (LEFT, BANDS - 8.0),
            "start",
            &format!("replicas, 0 to {:.0}; × killed", self.most_replicas),
        );
        for (band, stage) in Stage::ALL.into_iter().enumerate() {
            let y = bottom_of(band);
            put(svg, &format!("<path class=\"grid\" d=\"M{LEFT} {y}H{RIGHT}\"/>"));
            text(svg, (LEFT - 8.0, y - 8.0), "end", stage.as_str());
        }
        put(svg, &format!("<path class=\"axis\" d=\"M{LEFT} {TOP}V{bottom}H{RIGHT}\" fill=\"none\"/>"));
        for seconds in steps(self.duration_sec, step_of(self.duration_sec)) {
            text(svg, (self.x(seconds), bottom + 16.0), "middle", &format!("{seconds:.0}"));
        }
        let unit = format!("seconds; the schedule of scaling is {FASTER} times as fast as in a cluster");
        text(svg, (middle, HEIGHT - 6.0), "middle", &unit);
    }

    fn height_of(&self, jobs: f64) -> f64 {
        FLOOR - jobs / self.most_jobs * (FLOOR - TOP)
    }

    fn jobs(&self, svg: &mut String, looks: &[Look], (stage, colour): (usize, &str)) {
        let line = self.stairs(looks, |look| self.height_of(look.jobs[stage] as f64));
        put(svg, &format!("<path class=\"line\" stroke=\"{colour}\" d=\"{line}\"/>"));
    }

    fn replicas(&self, svg: &mut String, looks: &[Look], (stage, colour): (usize, &str)) {
        let bottom = bottom_of(stage);
        let height = |look: &Look| bottom - f64::from(look.replicas[stage]) / self.most_replicas * FULL;
        let line = self.stairs(looks, height);
        put(svg, &format!("<path fill=\"{colour}\" fill-opacity=\".7\" d=\"{line}V{bottom}H{LEFT}Z\"/>"));
    }

    /// A line that changes at once, with a point where it does.
    fn stairs(&self, looks: &[Look], height: impl Fn(&Look) -> f64) -> String {
        let (mut line, mut last): (_, Option<f64>) = (String::new(), None);
        for look in looks {
            let (x, y) = (self.x(look.at.as_secs_f64()), height(look));
            match last.replace(y) {
                None => write_to(&mut line, format_args!("M{x:.1} {y:.1}")),
                Some(before) if before.total_cmp(&y).is_ne() => {
                    write_to(&mut line, format_args!("H{x:.1}V{y:.1}"));
                }
                Some(_) => {}
            }
        }
        write_to(&mut line, format_args!("H{RIGHT}"));
        line
    }

    fn loss(&self, svg: &mut String, seconds: f64, band: usize) {
        let (x, y) = (self.x(seconds) - 3.5, bottom_of(band) - 8.0);
        put(svg, &format!("<path class=\"loss\" d=\"M{x:.1} {y}l7 7m0-7l-7 7\"/>"));
    }
}

fn bottom_of(band: usize) -> f64 {
    BANDS + BAND * band as f64 + FULL
}

/// 1, 2 or 5 times a power of ten: about five steps up to `most`.
fn step_of(most: f64) -> f64 {
    let power = 10_f64.powf((most / 5.0).log10().floor()).max(1.0);
    [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|times| times * power)
        .find(|step| most / step <= 6.0)
        .unwrap_or(power)
}

fn steps(most: f64, step: f64) -> impl Iterator<Item = f64> {
    (0..).map(move |at| step * f64::from(at)).take_while(move |value| *value <= most)
}

fn text(svg: &mut String, (x, y): (f64, f64), anchor: &str, text: &str) {
    put(svg, &format!("<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{text}</text>"));
}

fn put(svg: &mut String, element: &str) {
    svg.push_str(element);
    svg.push('\n');
}

fn write_to(line: &mut String, what: std::fmt::Arguments<'_>) {
    // Writing to a string can't fail.
    let _ = line.write_fmt(what);
}
