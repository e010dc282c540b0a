//! Repairs of a small graph with everything that is wrong in the real ones.

use super::*;
use crate::catalog::onnx::{Attribute, TensorShape, TensorType, ValueType};

const PLAN: RepairPlan = RepairPlan { input_axes: &[0, 2, 3], output_axes: &[0, 1] };

fn constant(name: &str, dims: &[i64], data_type: i32, raw: Vec<u8>) -> Tensor {
    Tensor {
        dims: dims.to_vec(),
        data_type: Some(data_type),
        name: Some(name.to_owned()),
        raw_data: Some(raw),
        ..Tensor::default()
    }
}

fn longs(values: &[i64]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

fn singles(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

fn node(op: &str, inputs: &[&str], output: &str, attributes: &[(&str, i64)]) -> Node {
    let attribute = |(name, value): &(&str, i64)| Attribute {
        name: Some((*name).to_owned()),
        i: Some(*value),
        kind: Some(2),
        ..Attribute::default()
    };
    Node {
        input: inputs.iter().map(|i| (*i).to_owned()).collect(),
        output: vec![output.to_owned()],
        op_type: Some(op.to_owned()),
        attribute: attributes.iter().map(attribute).collect(),
        ..Node::default()
    }
}

fn value(name: &str, dims: &[i64]) -> ValueInfo {
    let dim = dims.iter().map(|d| Dimension { dim_value: Some(*d), dim_param: None }).collect();
    let tensor_type = Some(TensorType { elem_type: Some(FLOAT), shape: Some(TensorShape { dim }) });
    ValueInfo { name: Some(name.to_owned()), value_type: Some(ValueType { tensor_type }), doc_string: None }
}

/// Two rows of three weights in blocks of two, a convolution with them, and a reshape to `[1, 8, 5]`.
fn broken() -> Model {
    let weights = vec![10_i8, -10, 4, 0, 1, 2].into_iter().map(i8::cast_unsigned).collect();
    let graph = Graph {
        node: vec![
            node("DequantizeLinear", &["w_q", "w_s", "w_z"], "w_d", &[("block_size", 2), ("axis", 1)]),
            node("Reshape", &["w_d", "w_shape"], "w", &[]),
            node("Conv", &["image", "w"], "c", &[]),
            node("Reshape", &["c", "out_shape"], "out", &[]),
        ],
        initializer: vec![
            constant("w_q", &[2, 3], INT8, weights),
            constant("w_s", &[2, 2], FLOAT, singles(&[0.5, 2.0, 1.0, 0.25])),
            constant("w_z", &[2, 2], INT8, vec![0, 1, 0, 0]),
            constant("w_shape", &[4], INT64, longs(&[2, 3, 1, 1])),
            constant("out_shape", &[3], INT64, longs(&[1, 8, 5])),
        ],
        input: vec![value("image", &[1, 3, 64, 64]), value("stale", &[9]), value("out_shape", &[3])],
        output: vec![value("out", &[1, 8, 5])],
        value_info: vec![value("c", &[1, 2, 4, 5])],
        ..Graph::default()
    };
    Model { ir_version: Some(6), graph: Some(graph), ..Model::default() }
}

fn repaired(model: &Model) -> Graph {
    let bytes = repair(&model.encode_to_vec(), &PLAN).unwrap();
    Model::read(&bytes).unwrap().graph.unwrap()
}

#[test]
fn quantised_weights_become_floats_of_the_reshaped_size() {
    let graph = repaired(&broken());
    let ops: Vec<_> = graph.node.iter().filter_map(|n| n.op_type.as_deref()).collect();
    assert_eq!(ops, ["Conv", "Reshape"]);
    let weights = graph.initializer.iter().find(|t| t.name.as_deref() == Some("w")).unwrap();
    assert_eq!((&weights.dims[..], weights.data_type), (&[2, 3, 1, 1][..], Some(FLOAT)));
    // Scales 0.5 and 2 with zeros 0 and 1 in the first row, 1 and 0.25 in the second.
    assert_eq!(weights.raw_data, Some(singles(&[5.0, -5.0, 6.0, 0.0, 1.0, 0.5])));
    assert_eq!(graph.initializer.len(), 2, "the quantised parts are gone");
}

#[test]
fn only_inputs_that_must_be_given_remain() {
    let graph = repaired(&broken());
    let inputs: Vec<_> = graph.input.iter().filter_map(|i| i.name.as_deref()).collect();
    assert_eq!(inputs, ["image"]);
}

#[test]
fn sizes_that_a_caller_may_choose_are_free() {
    let graph = repaired(&broken());
    let dims = |value: &ValueInfo| {
        let shape = value.value_type.clone().unwrap().tensor_type.unwrap().shape.unwrap();
        shape.dim.iter().map(|d| d.dim_param.clone().unwrap_or_default()).collect::<Vec<_>>()
    };
    assert_eq!(dims(&graph.input[0]), ["batch", "", "height", "width"]);
    assert_eq!(dims(&graph.output[0]), ["batch", "out_1", ""]);
    assert!(graph.value_info.is_empty());
    let shape = graph.initializer.iter().find(|t| t.name.as_deref() == Some("out_shape")).unwrap();
    assert_eq!(integers(shape), Some(vec![0, -1, 5]));
}

#[test]
fn a_repaired_model_is_repaired_to_itself() {
    let once = repair(&broken().encode_to_vec(), &PLAN).unwrap();
    assert_eq!(repair(&once, &PLAN).unwrap(), once);
}

#[test]
fn blocks_that_do_not_fit_the_weights_are_refused() {
    let mut model = broken();
    model.graph.as_mut().unwrap().initializer[1].dims = vec![2, 3];
    let error = repair(&model.encode_to_vec(), &PLAN).unwrap_err();
    assert_eq!(error, RepairError::Quantisation("w_d".to_owned()));
}

#[test]
fn a_file_with_parts_that_would_be_lost_is_refused() {
    let mut bytes = broken().encode_to_vec();
    // Field 20, training information, of length 0.
    bytes.extend([0xa2, 0x01, 0x00]);
    assert!(matches!(repair(&bytes, &PLAN), Err(RepairError::Onnx(OnnxError::Lossy { .. }))));
    assert!(matches!(repair(b"no model", &PLAN), Err(RepairError::Onnx(OnnxError::Malformed(_)))));
}
