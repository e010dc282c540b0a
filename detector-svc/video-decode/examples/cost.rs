#![allow(missing_docs, clippy::all, clippy::pedantic, clippy::print_stdout, clippy::unwrap_used)]
use facereel_domain::geometry::*;
use facereel_domain::time::*;
use facereel_video_decode::*;
use std::time::Instant;
fn main() {
    for path in std::env::args().skip(1) {
        let input = Input::File(path.clone().into());
        let t = Instant::now();
        let s = match scan(&input) {
            Ok(s) => s,
            Err(e) => {
                println!("{e} {:?}", std::error::Error::source(&e));
                continue;
            }
        };
        let scan_ms = t.elapsed().as_secs_f64() * 1e3;
        println!(
            "{path}\n  {:?} warn {:?}\n  scan {scan_ms:.1} ms, {} frames {} keys {} seekpoints {} nonref",
            s.info,
            s.warnings,
            s.frames.len(),
            s.frames.iter().filter(|f| f.is_key).count(),
            s.frames.iter().filter(|f| f.is_seek_point).count(),
            s.frames.iter().filter(|f| f.is_reference == Some(false)).count()
        );
        let n = s.frames.len() as f64;
        let wanted: Vec<Pts> = s.frames.iter().step_by(6).map(|f| f.pts).collect();
        for (name, sel) in [
            ("all", Selection::All),
            ("wanted6 none", Selection::Wanted { pts: wanted.clone(), skip: SkipMode::None }),
            ("wanted6 nonref", Selection::Wanted { pts: wanted.clone(), skip: SkipMode::NonReference }),
            (
                "wanted6 nonref+lf",
                Selection::Wanted { pts: wanted.clone(), skip: SkipMode::NonReferenceAndLoopFilter },
            ),
        ] {
            let mut d =
                SegmentDecoder::open(&input, &s.info, PtsRange { start: None, end: None }, sel).unwrap();
            let mut c = 0;
            while let Some(_f) = d.next_frame().unwrap() {
                c += 1;
            }
            let st = d.stats();
            println!("  {name}: {:.2} ms/source frame, out {c} {st:?}", st.decode_sec * 1e3 / n);
        }
        let mut parts = 0;
        let ranges = segment_ranges(&s, 5.0);
        for r in &ranges {
            let mut d = SegmentDecoder::open(&input, &s.info, *r, Selection::All).unwrap();
            while d.next_frame().unwrap().is_some() {
                parts += 1;
            }
        }
        println!("  segments {} frames {parts}", ranges.len());
        let t = Instant::now();
        for r in &ranges {
            let mut d = SegmentDecoder::open(&input, &s.info, *r, Selection::All).unwrap();
            d.next_frame().unwrap();
        }
        println!("  open+first frame {:.2} ms", t.elapsed().as_secs_f64() * 1e3 / ranges.len() as f64);
        let mut d =
            SegmentDecoder::open(&input, &s.info, PtsRange { start: None, end: None }, Selection::All)
                .unwrap();
        let mut sc = Scaler::new();
        let (mut a, mut b, mut c, mut e) = (0., 0., 0., 0.);
        let mut k = 0.;
        let mut i = 0u32;
        while let Some(f) = d.next_frame().unwrap() {
            if k >= 100. {
                break;
            }
            k += 1.;
            i += 37;
            let t = Instant::now();
            f.scaled_rgb(&mut sc, Size { width: 640, height: 360 }).unwrap();
            a += t.elapsed().as_secs_f64();
            let Size { width, height } = f.size();
            let w = 60 + i % 100;
            let r = PixelRect {
                x: i * 13 % (width - w.min(width - 1)),
                y: i * 7 % (height - w.min(height - 1)),
                width: w,
                height: w,
            };
            let t = Instant::now();
            let im = f.crop_rgb(&mut sc, r, Size { width: w, height: w });
            b += t.elapsed().as_secs_f64();
            im.unwrap();
            let r = PixelRect {
                width: (width / 2).min(400),
                height: (height / 2).min(400),
                x: (i % 50),
                y: (i % 30),
            };
            let t = Instant::now();
            f.crop_rgb(&mut sc, r, Size { width: 256, height: 256 }).unwrap();
            e += t.elapsed().as_secs_f64();
            let t = Instant::now();
            f.thumbnail(&mut sc).unwrap();
            c += t.elapsed().as_secs_f64();
        }
        println!(
            "  scaled 640x360 {:.3} ms, crop 60..160 {:.3} ms, crop 400->256 {:.3} ms, thumbnail {:.3} ms",
            a * 1e3 / k,
            b * 1e3 / k,
            e * 1e3 / k,
            c * 1e3 / k
        );
    }
}
