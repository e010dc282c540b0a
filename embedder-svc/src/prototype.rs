//! One vector for a track: a robust mean of its faces.

use facereel_domain::embedding::Embedding;

/// A face with its weight.
#[derive(Debug, Clone, Copy)]
pub struct Weighted<'a> {
    /// The face's vector.
    pub embedding: &'a Embedding,
    /// How much it counts: its quality, above 0.
    pub weight: f32,
}

/// A track's vector and how closely its faces lie around it.
#[derive(Debug, Clone, PartialEq)]
pub struct Center {
    /// The mean, of length 1.
    pub embedding: Embedding,
    /// Mean similarity of the faces to it.
    pub cohesion: f32,
}

/// Faces less similar to the first mean than the median by more than this are left out of the second.
const OUTLIER_DISTANCE: f32 = 0.2;

/// The quality-weighted mean of `faces` without outliers; `None` where there are no faces or they cancel out.
///
/// Two passes: the mean of all, then the mean of those that lie near it. Sums run in the order given, so equal inputs
/// give equal bits.
#[must_use]
pub fn robust_mean(faces: &[Weighted<'_>]) -> Option<Center> {
    let first = mean(faces.iter())?;
    let similarities: Vec<f32> = faces.iter().map(|f| first.similarity(f.embedding)).collect();
    let least = median(&similarities) - OUTLIER_DISTANCE;
    let near = faces.iter().zip(&similarities).filter(|(_, s)| **s >= least).map(|(face, _)| face);
    let embedding = mean(near).unwrap_or(first);
    let sum: f64 = faces.iter().map(|f| f64::from(embedding.similarity(f.embedding))).sum();
    Some(Center { cohesion: (sum / faces.len() as f64) as f32, embedding })
}

fn mean<'a>(faces: impl Iterator<Item = &'a Weighted<'a>>) -> Option<Embedding> {
    let mut sum: Vec<f64> = Vec::new();
    for face in faces {
        sum.resize(face.embedding.as_slice().len(), 0.0);
        for (total, v) in sum.iter_mut().zip(face.embedding.as_slice()) {
            *total += f64::from(*v) * f64::from(face.weight.max(1e-3));
        }
    }
    Embedding::normalized(sum.into_iter().map(|v| v as f32).collect()).ok()
}

fn median(values: &[f32]) -> f32 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f32::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vector(x: f32, y: f32) -> Embedding {
        Embedding::normalized(vec![x, y]).unwrap()
    }

    fn center(vectors: &[Embedding]) -> Option<Center> {
        let faces: Vec<_> = vectors.iter().map(|embedding| Weighted { embedding, weight: 1.0 }).collect();
        robust_mean(&faces)
    }

    #[test]
    fn an_outlier_does_not_move_the_mean() {
        let same = [vector(1.0, 0.1), vector(1.0, -0.1), vector(1.0, 0.0), vector(1.0, 0.0)];
        let clean = center(&same).unwrap();
        let mut with_outlier = same.to_vec();
        with_outlier.push(vector(-0.2, 1.0));
        let robust = center(&with_outlier).unwrap();
        assert!(robust.embedding.similarity(&clean.embedding) > 0.9999);
        assert!(robust.cohesion < clean.cohesion);
    }

    #[test]
    fn means_have_length_one_and_none_is_made_of_nothing() {
        let mean = center(&[vector(1.0, 0.0), vector(0.0, 1.0)]).unwrap();
        assert!((mean.embedding.similarity(&mean.embedding) - 1.0).abs() < 1e-6);
        assert_eq!(center(&[]), None);
        assert_eq!(center(&[vector(1.0, 0.0), vector(-1.0, 0.0)]), None);
    }
}
