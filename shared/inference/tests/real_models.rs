//! The catalog's models on a real photo, against numbers of an independent implementation (Python, numpy, OpenCV and ONNX
//! Runtime 1.32). Set-up brings models and photo: `make test`.

#![allow(clippy::unwrap_used, reason = "in a test's helper as in the test: what does not hold fails it")]

use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::slice;

use facereel_domain::geometry::{BBox, PixelRect, Size};
use facereel_domain::settings::Provider;
use facereel_imaging::align::{self, AlignedFace};
use facereel_imaging::{RgbImage, jpeg, quality, shrink};
use facereel_inference::catalog::{
    CustomModel, FetchStep, ModelsDir, check, fetch, open_custom, open_detector, open_embedder,
};
use facereel_inference::{
    Candidate, EmbedderSpec, FaceDetector, FaceEmbedder, InferenceError, Model, Runtime, detector, embedder,
};
use rstest::rstest;

/// Where set-up keeps models and media.
fn cache() -> PathBuf {
    let set = |name: &str| std::env::var_os(name).map(PathBuf::from);
    let user = || set("XDG_CACHE_HOME").or_else(|| Some(set("HOME")?.join(".cache")));
    set("FACEREEL_CACHE").or_else(|| Some(user()?.join("facereel"))).expect("HOME is set")
}

fn models() -> ModelsDir {
    let set = std::env::var_os("FACEREEL__MODELS__DIR").map(PathBuf::from);
    ModelsDir::new(set.unwrap_or_else(|| cache().join("models")))
}

fn runtime() -> Runtime {
    Runtime::load(None, &models()).unwrap_or_else(|e| panic!("set-up is not done, run `make test`: {e}"))
}

/// Six people at a table, 1280 x 886.
fn photo() -> RgbImage {
    let path = cache().join("media/t1.jpg");
    let bytes = fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}; run `make test`", path.display()));
    jpeg::decode(&bytes).unwrap()
}

fn detector(name: &str) -> Box<dyn FaceDetector> {
    let model = open_detector(&models(), name).unwrap_or_else(|e| panic!("run `make test`: {e}"));
    detector::open(&runtime(), &model, NonZeroUsize::MIN).unwrap()
}

fn embedder() -> Box<dyn FaceEmbedder> {
    embedder::open(&runtime(), &sface(), NonZeroUsize::MIN).unwrap()
}

fn sface() -> Model<EmbedderSpec> {
    open_embedder(&models(), "sface").unwrap_or_else(|e| panic!("run `make test`: {e}"))
}

/// The photo's six faces, aligned, from left to right.
fn aligned_faces() -> Vec<AlignedFace> {
    let image = photo();
    let faces = from_left(detector("yunet").detect(&image).unwrap());
    faces.iter().map(|f| align::align_face(&image, &f.landmarks).unwrap()).collect()
}

/// The file at `path` as a user's own embedder, about whose vectors nothing is known.
fn own_embedder(path: PathBuf) -> Box<dyn FaceEmbedder> {
    let spec = EmbedderSpec { dim: None, ..sface().spec };
    let model = open_custom(&CustomModel { path, sha256: None }, spec).unwrap();
    embedder::open(&runtime(), &model, NonZeroUsize::MIN).unwrap()
}

/// Faces from left to right.
fn from_left(mut faces: Vec<Candidate>) -> Vec<Candidate> {
    faces.sort_by(|a, b| a.corners[0].total_cmp(&b.corners[0]));
    faces
}

/// Corners, confidence and nose of each face, from left to right.
type Reference = [([f32; 4], f32, [f32; 2]); 6];

const YUNET: Reference = [
    ([60.7, 268.6, 167.2, 396.7], 0.923, [118.0, 340.1]),
    ([266.5, 151.6, 372.0, 277.9], 0.905, [299.3, 229.8]),
    ([465.8, 267.0, 567.7, 411.7], 0.936, [507.0, 354.7]),
    ([748.4, 353.0, 846.6, 475.4], 0.928, [776.9, 428.2]),
    ([905.6, 58.5, 1005.5, 202.1], 0.923, [920.3, 150.3]),
    ([1125.5, 272.8, 1220.9, 396.6], 0.927, [1160.8, 340.6]),
];

const CENTERFACE: Reference = [
    ([62.2, 268.3, 165.3, 391.6], 0.936, [119.6, 338.6]),
    ([271.5, 152.8, 371.5, 266.6], 0.899, [306.3, 226.6]),
    ([464.8, 265.4, 571.3, 410.6], 0.927, [507.4, 356.6]),
    ([748.1, 345.4, 846.9, 482.4], 0.931, [774.1, 426.1]),
    ([903.5, 59.4, 1012.8, 201.1], 0.906, [921.6, 149.4]),
    ([1132.5, 266.4, 1230.6, 401.8], 0.924, [1168.6, 348.1]),
];

#[rstest]
#[case("yunet", YUNET)]
#[case("centerface", CENTERFACE)]
fn faces_are_where_the_reference_finds_them(#[case] name: &str, #[case] expected: Reference) {
    let found = detector(name).detect(&photo()).unwrap();
    assert!(found.windows(2).all(|w| w[0].confidence >= w[1].confidence), "the surest comes first");
    let found = from_left(found);
    assert_eq!(found.len(), expected.len());
    for (face, (corners, confidence, nose)) in found.iter().zip(expected) {
        let near = |a: f32, b: f32| (a - b).abs() < 1.5;
        let same_box = face.corners.iter().zip(corners).all(|(a, b)| near(*a, b));
        assert!(same_box, "{:?}, not {corners:?}", face.corners);
        assert!((face.confidence - confidence).abs() < 0.01, "{}, not {confidence}", face.confidence);
        let at = face.landmarks.0[2];
        assert!(near(at.x, nose[0]) && near(at.y, nose[1]), "nose at {at:?}, not {nose:?}");
    }
}

#[rstest]
#[case("yunet")]
#[case("centerface")]
fn a_detector_gives_the_same_again_whatever_it_saw_between(#[case] name: &str) {
    let (image, mut finder) = (shrink::by_area(&photo(), 2), detector(name));
    let first = finder.detect(&image).unwrap();
    assert_eq!(first.len(), 6);
    let mut noise = image.clone();
    noise.data_mut().iter_mut().enumerate().for_each(|(i, v)| *v = (i * 7 % 251) as u8);
    finder.detect(&noise).unwrap();
    finder.detect(&shrink::by_area(&image, 2)).unwrap();
    assert_eq!(finder.detect(&image).unwrap(), first);
    assert_eq!(detector(name).detect(&image).unwrap(), first);
}

/// `rect` of the image, every pixel repeated `times` x `times`, and where `face` lies in the result.
fn magnified(image: &RgbImage, rect: PixelRect, times: u32, face: [f32; 4]) -> (RgbImage, BBox) {
    let size = Size { width: rect.width * times, height: rect.height * times };
    let at = |x: u32, y: u32| {
        let offset = ((rect.y + y / times) * image.size().width + rect.x + x / times) as usize * 3;
        &image.data()[offset..offset + 3]
    };
    let data = (0..size.height).flat_map(|y| (0..size.width).flat_map(move |x| at(x, y))).copied().collect();
    let [x0, y0, x1, y1] = face;
    let (left, top) = (rect.x as f32, rect.y as f32);
    let there = [x0 - left, y0 - top, x1 - left, y1 - top].map(|v| v * times as f32);
    (RgbImage::new(size, data).unwrap(), BBox::from_xyxy(there).unwrap())
}

#[rstest]
#[case::at_the_usual_width("yunet", 2)]
#[case::at_full_hd("yunet", 6)]
#[case::at_the_usual_width("centerface", 2)]
#[case::at_full_hd("centerface", 6)]
fn a_face_of_four_fifths_of_the_height_is_found(#[case] name: &str, #[case] times: u32) {
    // The third face is 145 pixels high: 80 % of 180.
    let rect = PixelRect { x: 356, y: 249, width: 320, height: 180 };
    let (close_up, face) = magnified(&photo(), rect, times, [465.8, 267.0, 567.7, 411.7]);
    let found = detector(name).detect(&close_up).unwrap();
    let overlaps: Vec<_> = found.iter().map(|f| BBox::from_xyxy(f.corners).unwrap().iou(&face)).collect();
    assert_eq!(overlaps.iter().filter(|iou| **iou > 0.3).count(), 1, "one box a face: {overlaps:?}");
    assert!(overlaps.iter().any(|iou| *iou > 0.7), "{overlaps:?}");
}

#[rstest]
#[case("yunet", 8)]
#[case("centerface", 16)]
fn small_faces_come_from_the_wide_image_too_and_large_ones_do_not(#[case] name: &str, #[case] factor: u32) {
    let (whole, mut finder) = (photo(), detector(name));
    let (tiny, half) = (shrink::by_area(&whole, factor), shrink::by_area(&whole, 2));
    assert!(finder.detect(&tiny).unwrap().len() < 6, "these faces are too small for it");
    let found = from_left(finder.detect_wide(&tiny, &half).unwrap());
    let there = from_left(finder.detect(&half).unwrap());
    assert_eq!((found.len(), there.len()), (6, 6));
    for (face, there) in found.iter().zip(&there) {
        let same =
            face.corners.iter().zip(there.corners).all(|(a, b)| (a - b * 2.0 / factor as f32).abs() < 1.0);
        assert!(same, "{:?}, and {:?} in the wide", face.corners, there.corners);
    }
    // Faces of 50 pixels are large enough for the first image: what the wide one shows of them changes nothing.
    assert_eq!(finder.detect_wide(&half, &whole).unwrap(), finder.detect(&half).unwrap());
}

#[test]
fn vectors_are_those_of_the_reference() {
    let mut vectors = embedder();
    let found = vectors.embed(&aligned_faces()).unwrap();
    assert_eq!((found.len(), found[0].as_slice().len(), vectors.dim()), (6, 128, 128));
    for (value, expected) in found[2].as_slice().iter().zip([-0.078, 0.0155, 0.0374, 0.0247, 0.2089, 0.1766])
    {
        assert!((value - expected).abs() < 0.02, "{value}, not {expected}");
    }
    // Six people: no two alike. The reference's largest similarity is 0.304.
    for (i, a) in found.iter().enumerate() {
        assert!(found[i + 1..].iter().all(|b| a.similarity(b) < 0.33));
    }
    assert!(vectors.embed(&[]).unwrap().is_empty());
}

#[test]
fn a_batch_gives_each_face_the_vector_that_it_has_alone() {
    let (faces, mut vectors) = (aligned_faces(), embedder());
    let alone: Vec<_> = faces.iter().flat_map(|f| vectors.embed(slice::from_ref(f)).unwrap()).collect();
    // Larger, smaller and larger again: what an earlier batch left in the buffers does not show.
    for count in [4, 6, 2, 5] {
        let together = vectors.embed(&faces[..count]).unwrap();
        assert_eq!(together.len(), count);
        for (place, (a, b)) in together.iter().zip(&alone).enumerate() {
            assert!(a.similarity(b) > 1.0 - 1e-4, "face {place} of {count}: {}", a.similarity(b));
        }
        assert_eq!(vectors.embed(&faces[..count]).unwrap(), together, "the same batch, the same digits");
    }
}

#[test]
fn a_model_for_one_face_at_a_time_gets_them_one_by_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("one.onnx");
    fs::write(&path, with_batch_of_one(fs::read(sface().path()).unwrap())).unwrap();
    let (faces, mut free) = (aligned_faces(), embedder());
    let alone: Vec<_> = faces.iter().flat_map(|f| free.embed(slice::from_ref(f)).unwrap()).collect();
    assert_eq!(own_embedder(path).embed(&faces).unwrap(), alone);
}

/// The model in `onnx` with 1 in place of the dimension "batch", at the end of the file, of its input and its output. The
/// number is written in as many bytes as the name takes, which protobuf allows, so that no length changes.
fn with_batch_of_one(mut onnx: Vec<u8>) -> Vec<u8> {
    let (named, one) = (b"\x0a\x07\x12\x05batch", b"\x0a\x07\x08\x81\x80\x80\x80\x80\x00");
    for _ in ["input", "output"] {
        let at = onnx.windows(named.len()).rposition(|bytes| bytes == named).unwrap();
        onnx[at..at + one.len()].copy_from_slice(one);
    }
    onnx
}

#[test]
fn an_embedder_of_ones_own_has_vectors_as_long_as_its_file_declares() {
    let (faces, mut own) = (aligned_faces(), own_embedder(sface().path().to_owned()));
    assert_eq!(own.dim(), 128);
    assert_eq!(own.embed(&faces).unwrap(), embedder().embed(&faces).unwrap());
}

#[rstest]
#[case::other_vectors(Some(512), sface().path().to_owned(), "the vector's length should be 512, but is 128")]
#[case::no_vectors(None, open_detector(&models(), "yunet").unwrap().path().to_owned(), "12 outputs")]
fn a_model_without_the_vectors_of_its_spec_is_refused(
    #[case] dim: Option<usize>,
    #[case] path: PathBuf,
    #[case] reason: &str,
) {
    let spec = EmbedderSpec { dim, ..sface().spec };
    let model = open_custom(&CustomModel { path, sha256: None }, spec).unwrap();
    let error = embedder::open(&runtime(), &model, NonZeroUsize::MIN).err().unwrap();
    assert!(error.to_string().contains(reason), "{error}");
}

#[test]
fn quality_tells_good_faces_from_profiles_blurred_and_small_ones() {
    let image = photo();
    let faces = from_left(detector("yunet").detect(&image).unwrap());
    let measure = |image: &RgbImage, index: usize, scale: f32| {
        let face: &Candidate = &faces[index];
        let bbox = BBox::from_xyxy(face.corners.map(|v| v * scale)).unwrap();
        quality::measure(image, &bbox, &face.landmarks.mapped(0.0, 0.0, scale))
    };
    let (frontal, profile) = (measure(&image, 2, 1.0), measure(&image, 4, 1.0));
    assert!(frontal.score >= 0.8 && frontal.yaw_deg.abs() < 15.0, "{frontal:?}");
    assert!(profile.score < 0.5 && profile.yaw_deg < -40.0, "looks to the image's left: {profile:?}");
    let small = shrink::by_area(&image, 4);
    let tiny = measure(&small, 2, 0.25);
    assert!(tiny.score < 0.5, "25 pixels wide: {tiny:?}");
    let soft = measure(&blurred(&image), 2, 1.0);
    assert!(soft.score < 0.5 && soft.sharpness < frontal.sharpness, "blurred: {soft:?}");
}

/// The image with every pixel the mean of the nine beside it, along rows and then along columns.
fn blurred(image: &RgbImage) -> RgbImage {
    let mean_along = |image: &RgbImage, step: usize| {
        let data = image.data();
        let mean = |i: usize| {
            let places = (0..9).map(|k| (i + k * step).saturating_sub(4 * step).min(data.len() - 1));
            (places.map(|p| u32::from(data[p])).sum::<u32>() / 9) as u8
        };
        RgbImage::new(image.size(), (0..data.len()).map(mean).collect()).unwrap()
    };
    mean_along(&mean_along(image, 3), image.size().width as usize * 3)
}

#[test]
fn a_library_that_is_not_there_is_an_error_that_helps() {
    let error = Runtime::load(Some(Path::new("/nowhere/libonnxruntime.so")), &models()).unwrap_err();
    assert!(matches!(error, InferenceError::Library { .. }));
    assert!(error.to_string().contains("facereel models fetch"), "{error}");
}

#[test]
fn a_second_library_is_refused_and_the_same_one_is_shared() {
    let first = runtime();
    assert_eq!(runtime().library(), first.library());
    let other = models().path().join("sface-2021dec.onnx");
    let error = Runtime::load(Some(&other), &models()).unwrap_err();
    assert!(matches!(error, InferenceError::LibraryConflict { .. }), "{error}");
}

#[test]
fn without_cuda_in_the_library_a_session_on_it_is_refused_and_does_not_fall_back() {
    let error = runtime().on(Provider::Cuda).unwrap_err();
    assert_eq!(error, InferenceError::NoCuda { library: runtime().library().to_owned() });
    assert!(!error.is_permanent(), "another worker may have it");
    let said = error.to_string();
    assert!(said.contains("has no CUDA provider: set models.onnxruntime to its GPU build"), "{said}");
}

#[test]
fn the_processor_asked_for_by_name_gives_the_same_digits_as_by_default() {
    let image = shrink::by_area(&photo(), 2);
    let model = open_detector(&models(), "yunet").unwrap();
    let named = runtime().on(Provider::Cpu).unwrap();
    let mut by_name = detector::open(&named, &model, NonZeroUsize::MIN).unwrap();
    assert_eq!(by_name.detect(&image).unwrap(), detector("yunet").detect(&image).unwrap());
}

#[test]
fn a_model_of_another_kind_is_refused_by_its_shape() {
    let mut model = open_detector(&models(), "yunet").unwrap();
    model.spec = open_detector(&models(), "centerface").unwrap().spec;
    let error = detector::open(&runtime(), &model, NonZeroUsize::MIN).err().unwrap();
    let expected = "model yunet: the number of outputs should be 4, but is 12; is the right head configured?";
    assert_eq!(error.to_string(), expected);
}

#[test]
fn with_every_file_there_nothing_is_fetched() {
    assert!(check(&models()).is_ready(), "set-up is not done, run `make test`: {:?}", check(&models()));
    let mut steps = Vec::new();
    let report = fetch(&models(), |step| steps.push(step)).unwrap();
    assert!(report.is_ready());
    assert!(steps.iter().all(|step| matches!(step, FetchStep::Present(_))), "{steps:?}");
}
