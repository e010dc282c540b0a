//! Edits that make the packages' ONNX files run in ONNX Runtime, at full speed, with any batch and image size.
//!
//! 1. Weights quantised in blocks are multiplied out to 32-bit floats. ONNX Runtime refuses the one-dimensional ones as
//!    shipped, and would multiply out the others on every load.
//! 2. Inputs that no node reads, or that have a value in the file, are dropped from the list of inputs: the first would be
//!    demanded on each run, the second keep the optimiser from folding constants.
//! 3. Fixed sizes are made free: in inputs and outputs, in intermediate shapes (dropped), and in reshapes to `[1, n, k]`.
//!
//! The numbers that a model computes stay the same: the sum `(q - zero) x scale` is what the operator is defined to do.

use std::collections::{HashMap, HashSet};

use prost::Message;

use super::onnx::{Dimension, Graph, Model, Node, OnnxError, Tensor, ValueInfo};

/// Which axes of a model's inputs and outputs are free.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RepairPlan {
    /// Axes of the input: 0 is the batch, 2 the height, 3 the width.
    pub input_axes: &'static [usize],
    /// Axes of each output that follow from the input's.
    pub output_axes: &'static [usize],
}

/// Why a file can't be repaired.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum RepairError {
    #[error(transparent)]
    Onnx(#[from] OnnxError),
    #[error("it has no graph")]
    NoGraph,
    #[error("node {0} is quantised in a way that is not handled")]
    Quantisation(String),
}

/// The model in `bytes`, repaired. The same bytes give the same bytes.
pub(super) fn repair(bytes: &[u8], plan: &RepairPlan) -> Result<Vec<u8>, RepairError> {
    let mut model = Model::read(bytes)?;
    let graph = model.graph.as_mut().ok_or(RepairError::NoGraph)?;
    multiply_out_weights(graph)?;
    free_batch_in_reshapes(graph);
    drop_unread(graph);
    graph.value_info.clear();
    for input in &mut graph.input {
        free_axes(input, plan.input_axes, |axis| ["batch", "channels", "height", "width"][axis].to_owned());
    }
    for output in &mut graph.output {
        let name = output.name.clone().unwrap_or_default();
        let symbol = |axis| if axis == 0 { "batch".to_owned() } else { format!("{name}_{axis}") };
        free_axes(output, plan.output_axes, symbol);
    }
    Ok(model.encode_to_vec())
}

const FLOAT: i32 = 1;
const INT8: i32 = 3;

/// Replaces each `DequantizeLinear` of constants, and a `Reshape` behind it, by the resulting weights.
fn multiply_out_weights(graph: &mut Graph) -> Result<(), RepairError> {
    let constants: HashMap<&str, &Tensor> =
        graph.initializer.iter().filter_map(|t| Some((t.name.as_deref()?, t))).collect();
    let mut weights: Vec<Tensor> = Vec::new();
    let mut place: HashMap<String, usize> = HashMap::new();
    let mut kept = Vec::new();
    for node in &graph.node {
        let op = node.op_type.as_deref().unwrap_or_default();
        let source = node.input.first().and_then(|name| place.get(name)).copied();
        match (op, source, node.output.first()) {
            ("DequantizeLinear", None, Some(output)) => {
                let unhandled = || RepairError::Quantisation(output.clone());
                let tensor = dequantized(node, &constants).ok_or_else(unhandled)?;
                place.insert(output.clone(), weights.len());
                weights.push(Tensor { name: Some(output.clone()), ..tensor });
            }
            ("Reshape", Some(index), Some(output)) => {
                let shape = node.input.get(1).and_then(|name| constants.get(name.as_str()));
                let dims = shape.and_then(|s| integers(s));
                weights[index].dims = dims.ok_or_else(|| RepairError::Quantisation(output.clone()))?;
                weights[index].name = Some(output.clone());
                place.insert(output.clone(), index);
            }
            _ => kept.push(node.clone()),
        }
    }
    graph.node = kept;
    graph.initializer.extend(weights);
    Ok(())
}

/// `(q - zero) x scale`, where blocks of `block_size` values along `axis` share a scale and a zero.
fn dequantized(node: &Node, constants: &HashMap<&str, &Tensor>) -> Option<Tensor> {
    let input = |i: usize| constants.get(node.input.get(i)?.as_str()).copied();
    let (quantised, scales, zeros) = (input(0)?, input(1)?, input(2)?);
    let attribute = |name: &str| node.attribute.iter().find(|a| a.name.as_deref() == Some(name))?.i;
    let axis = usize::try_from(attribute("axis")?).ok()?;
    let block = usize::try_from(attribute("block_size")?).ok().filter(|b| *b > 0)?;
    let extent = |t: &Tensor, axis: usize| usize::try_from(*t.dims.get(axis)?).ok();
    let (length, blocks) = (extent(quantised, axis)?, extent(scales, axis)?);
    // Weights come with the blocked axis last: then a row of values has a row of scales.
    if axis + 1 != quantised.dims.len() || length == 0 || blocks != length.div_ceil(block) {
        return None;
    }
    let (values, zeros, scales) = (small_integers(quantised)?, small_integers(zeros)?, floats(scales)?);
    let rows = values.len() / length;
    if values.len() != rows * length || scales.len() != rows * blocks || zeros.len() != scales.len() {
        return None;
    }
    let mut raw = Vec::with_capacity(values.len() * 4);
    for (i, value) in values.iter().enumerate() {
        let group = i / length * blocks + i % length / block;
        let weight = (f32::from(*value) - f32::from(zeros[group])) * scales[group];
        raw.extend_from_slice(&weight.to_le_bytes());
    }
    Some(Tensor {
        dims: quantised.dims.clone(),
        data_type: Some(FLOAT),
        raw_data: Some(raw),
        ..Tensor::default()
    })
}

fn small_integers(tensor: &Tensor) -> Option<Vec<i8>> {
    let raw = tensor.raw_data.as_ref().filter(|_| tensor.data_type == Some(INT8))?;
    Some(raw.iter().map(|b| b.cast_signed()).collect())
}

fn floats(tensor: &Tensor) -> Option<Vec<f32>> {
    let raw = tensor.raw_data.as_ref().filter(|_| tensor.data_type == Some(FLOAT))?;
    Some(raw.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect())
}

const INT64: i32 = 7;

fn integers(tensor: &Tensor) -> Option<Vec<i64>> {
    if tensor.data_type != Some(INT64) {
        return None;
    }
    Some(match &tensor.raw_data {
        Some(raw) => raw.as_chunks::<8>().0.iter().map(|b| i64::from_le_bytes(*b)).collect(),
        None => tensor.int64_data.clone(),
    })
}

/// Reshapes to `[1, n, k]` become reshapes to `[same, rest, k]`.
fn free_batch_in_reshapes(graph: &mut Graph) {
    let is_reshape = |n: &&Node| n.op_type.as_deref() == Some("Reshape");
    let shapes: HashSet<&String> =
        graph.node.iter().filter(is_reshape).filter_map(|n| n.input.get(1)).collect();
    for tensor in &mut graph.initializer {
        if tensor.name.as_ref().is_some_and(|name| shapes.contains(name))
            && let Some(&[1, _, last]) = integers(tensor).as_deref()
        {
            tensor.raw_data = Some([0, -1, last].into_iter().flat_map(i64::to_le_bytes).collect());
            tensor.int64_data.clear();
        }
    }
}

/// Drops constants that nothing reads, and inputs that nothing reads or that are constants.
fn drop_unread(graph: &mut Graph) {
    let mut read: HashSet<&str> =
        graph.node.iter().flat_map(|n| n.input.iter().map(String::as_str)).collect();
    read.extend(graph.output.iter().filter_map(|o| o.name.as_deref()));
    let is_read = |name: &Option<String>| name.as_deref().is_some_and(|n| read.contains(n));
    graph.initializer.retain(|t| is_read(&t.name));
    let constants: HashSet<_> = graph.initializer.iter().filter_map(|t| t.name.as_deref()).collect();
    let is_constant = |name: &Option<String>| name.as_deref().is_some_and(|n| constants.contains(n));
    graph.input.retain(|i| is_read(&i.name) && !is_constant(&i.name));
}

fn free_axes(value: &mut ValueInfo, axes: &[usize], symbol: impl Fn(usize) -> String) {
    let tensor = value.value_type.as_mut().and_then(|t| t.tensor_type.as_mut());
    let Some(shape) = tensor.and_then(|t| t.shape.as_mut()) else { return };
    for &axis in axes {
        if let Some(dimension) = shape.dim.get_mut(axis) {
            *dimension = Dimension { dim_value: None, dim_param: Some(symbol(axis)) };
        }
    }
}

#[cfg(test)]
mod tests;
