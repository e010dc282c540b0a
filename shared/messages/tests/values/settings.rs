//! Settings that differ from every default, so that samples keep their meaning when a default changes.

use facereel_domain::settings::{
    CropSettings, DetectSettings, EmbedSettings, GateSettings, PipelineSettings, Provider, QualitySettings,
    ShotSettings, TrackSettings,
};

pub(crate) fn pipeline() -> PipelineSettings {
    PipelineSettings {
        detect: detect(),
        shots: ShotSettings {
            enabled: false,
            cut_threshold: 0.35,
            fade_level: 6.0,
            cooldown_sec: 0.5,
            min_shot_sec: 0.25,
        },
        track: track(),
        quality: QualitySettings {
            min_score: 0.25,
            min_sharpness: 0.15,
            min_confidence: 0.55,
            max_yaw_deg: 60.0,
            min_face_px: 40,
        },
        crops: CropSettings { per_track: 4, skip: 3, margin: 0.2, jpeg_quality: 85, max_side_px: 256 },
        gate: GateSettings {
            enabled: false,
            every_sec: 2.0,
            hard: 0.1,
            soft: 0.3,
            streak: 4,
            min_iou: 0.4,
            min_quality: 0.2,
            momentum: 0.8,
            rejoin: 0.45,
        },
        embed: EmbedSettings {
            enabled: false,
            model: "own".to_owned(),
            model_file: "arcface.onnx".to_owned(),
            model_sha256: "ab".repeat(32),
            provider: Provider::Cuda,
            batch_size: 2,
            job_faces: 32,
        },
    }
}

fn detect() -> DetectSettings {
    DetectSettings {
        model: "own".to_owned(),
        model_file: "det_10g.onnx".to_owned(),
        model_sha256: "cd".repeat(32),
        model_head: "scrfd".to_owned(),
        provider: Provider::Cuda,
        stride: 4,
        analyzed_fps: 5.0,
        stride_snap: 2,
        decode_skip: false,
        skip_loop_filter: true,
        min_face_px: 24,
        input_width: 640,
        wide_every: 3,
        min_confidence: 0.25,
        nms_iou: 0.4,
        close_ups: false,
        skip_unchanged: false,
        unchanged_tolerance: 2.0,
        adaptive_threshold: true,
        adaptive_min: 0.45,
        adaptive_max: 0.75,
        segment_sec: 30.0,
    }
}

fn track() -> TrackSettings {
    TrackSettings {
        high_thresh: 0.65,
        low_thresh: 0.35,
        new_thresh: 0.7,
        min_iou: 0.2,
        second_min_iou: 0.4,
        buffer_sec: 3.0,
        max_gap_sec: 1.5,
        relink_gap_sec: 4.0,
        min_observations: 2,
        min_mean_confidence: 0.5,
        sample_limit: 8,
        process_skip: 3,
        max_jump: 1.5,
    }
}
