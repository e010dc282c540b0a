//! Face embeddings: unit vectors whose dot product is the similarity of two faces.

use serde::{Deserialize, Serialize};

/// A vector that can't be scaled to length 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an embedding is empty, zero or not finite")]
pub struct EmbeddingError;

/// A vector of length 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Vec<f32>", into = "Vec<f32>")]
pub struct Embedding(Vec<f32>);

impl Embedding {
    /// `raw` scaled to length 1 (sums in double precision, in index order).
    pub fn normalized(mut raw: Vec<f32>) -> Result<Self, EmbeddingError> {
        let norm = raw.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>().sqrt();
        if !norm.is_normal() {
            return Err(EmbeddingError);
        }
        for v in &mut raw {
            *v = (f64::from(*v) / norm) as f32;
        }
        Ok(Self(raw))
    }

    /// The components.
    #[must_use]
    pub fn as_slice(&self) -> &[f32] {
        &self.0
    }

    /// Cosine similarity, -1 to 1. Vectors of different models (lengths) have none: 0.
    #[must_use]
    pub fn similarity(&self, other: &Self) -> f32 {
        if self.0.len() != other.0.len() {
            return 0.0;
        }
        self.0.iter().zip(&other.0).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>() as f32
    }
}

impl TryFrom<Vec<f32>> for Embedding {
    type Error = EmbeddingError;

    /// Takes stored vectors as they are, bit for bit, where they are of length 1 (within 1 %), and refuses others.
    fn try_from(stored: Vec<f32>) -> Result<Self, EmbeddingError> {
        let norm = stored.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>().sqrt();
        if (norm - 1.0).abs() <= 0.01 { Ok(Self(stored)) } else { Err(EmbeddingError) }
    }
}

impl From<Embedding> for Vec<f32> {
    fn from(e: Embedding) -> Self {
        e.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_come_out_with_length_one() {
        let e = Embedding::normalized(vec![3.0, 4.0]).unwrap();
        assert_eq!(e.as_slice(), [0.6, 0.8]);
        assert!((e.similarity(&e) - 1.0).abs() < 1e-6);
    }

    #[test]
    fn vectors_without_direction_are_refused() {
        for bad in [vec![], vec![0.0; 4], vec![f32::NAN, 1.0], vec![f32::INFINITY, 1.0]] {
            assert!(Embedding::normalized(bad).is_err());
        }
        assert!(Embedding::try_from(vec![0.5, 0.5]).is_err());
    }
}
