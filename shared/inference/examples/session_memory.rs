//! scratch
#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::pedantic, reason = "an example")]
use std::time::Instant;
use ort::session::Session;
use ort::session::builder::GraphOptimizationLevel;
use ort::value::Tensor;
use facereel_inference::catalog::ModelsDir;

fn status(k: &str) -> u64 {
    let s = std::fs::read_to_string("/proc/self/status").unwrap();
    s.lines().find(|l| l.starts_with(k)).unwrap().split_whitespace().nth(1).unwrap().parse::<u64>().unwrap()
}
fn show(what: &str) {
    println!("{what:28} rss {:6.1} peak {:6.1} anon {:6.1}", status("VmRSS") as f64 / 1024.0, status("VmHWM") as f64 / 1024.0, status("RssAnon") as f64/1024.0);
}
fn has(o: &str) -> bool { std::env::args().any(|a| a == o) }
static W: std::sync::OnceLock<std::sync::Arc<[u8]>> = std::sync::OnceLock::new();
fn open(env: &ort::environment::Environment, path: &std::path::Path) -> Session {
    let mut b = Session::builder(env).unwrap()
        .with_optimization_level(if has("l1") { GraphOptimizationLevel::Level1 } else if has("l2") { GraphOptimizationLevel::Level2 } else { GraphOptimizationLevel::All }).unwrap()
        .with_intra_threads(1).unwrap().with_inter_threads(1).unwrap()
        .with_intra_op_spinning(false).unwrap().with_inter_op_spinning(false).unwrap().with_quant_qdq(false).unwrap();
    if has("noprepack") { b = b.with_prepacking(false).unwrap(); }
    if has("nopattern") { b = b.with_memory_pattern(false).unwrap(); }
    if has("devinit") { b = b.with_device_allocated_initializers().unwrap(); }
    if has("noarena") { b = b.with_execution_providers([ort::ep::CPU::default().with_arena_allocator(false).build()]).unwrap(); }
    if let Some(p) = std::env::args().find_map(|a| a.strip_prefix("save=").map(str::to_owned)) { b = b.with_optimized_model_path(p).unwrap(); }
    if has("extmem") {
        let w = W.get_or_init(|| { use std::io::Read; let p = path.with_file_name("weights"); let n = std::fs::metadata(&p).unwrap().len() as usize; let mut a: std::sync::Arc<[u8]> = std::iter::repeat_n(0u8, n).collect(); std::fs::File::open(&p).unwrap().read_exact(std::sync::Arc::get_mut(&mut a).unwrap()).unwrap(); a });
        b = b.with_external_initializer_file_in_memory("weights", w.clone()).unwrap();
    }
    if has("memory") {
        let bytes: std::sync::Arc<[u8]> = std::fs::read(path).unwrap().into();
        b.commit_from_memory(&bytes).unwrap()
    } else { b.commit_from_file(path).unwrap() }
}
fn run(s: &mut Session, t: &Tensor<f32>, n: usize) -> (f64, u64) {
    let mut h = 0u64; let mut best = f64::INFINITY;
    for _ in 0..n {
        let a = Instant::now();
        let o = s.run(ort::inputs![t]).unwrap();
        best = best.min(a.elapsed().as_secs_f64());
        h = o[0].try_extract_tensor::<f32>().unwrap().1.iter().fold(0u64, |h, v| h.wrapping_mul(1099511628211).wrapping_add(u64::from(v.to_bits())));
    }
    (best * 1e3, h)
}
fn main() {
    let args: Vec<String> = std::env::args().collect();
    let models = ModelsDir::new(&args[1]);
    let env = ort::init_from(models.library_path()).unwrap().build().unwrap();
    show("runtime");
    let path = std::path::PathBuf::from(&args[2]);
    let data: Vec<f32> = (0..3*112*112).map(|i| ((i * 7919) % 256) as f32).collect();
    let t = Tensor::from_array(([1usize, 3, 112, 112], data)).unwrap();
    let mut all = Vec::new();
    let n = if has("one") {1} else {3};
    for i in 0..n {
        let mut s = if has("thread") { let (p, e) = (path.clone(), env.clone()); std::thread::spawn(move || open(&e, &p)).join().unwrap() } else { open(&env, &path) };
        show(&format!("opened {i}"));
        let (ms, h) = run(&mut s, &t, 30);
        show(&format!("ran {i} {ms:.2} ms {h:x}"));
        all.push(s);
    }
}
