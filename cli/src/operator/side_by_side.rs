//! Many small questions to a server, a few at a time.

use anyhow::{Context as _, Result};
use tokio::task::JoinSet;

/// Questions under way at once: enough to hide the way to the server, few enough not to be a burden.
const AT_ONCE: usize = 16;

/// The answers that `ask` gets for all `items`, in their order; the first error ends it.
pub(crate) async fn side_by_side<T, R, F>(
    items: impl IntoIterator<Item = T>,
    ask: impl Fn(T) -> F,
) -> Result<Vec<R>>
where
    F: Future<Output = Result<R>> + Send + 'static,
    R: Send + 'static,
{
    let mut asked = JoinSet::new();
    let mut answers = Vec::new();
    for (place, item) in items.into_iter().enumerate() {
        while asked.len() >= AT_ONCE {
            answers.extend(next(&mut asked).await?);
        }
        let question = ask(item);
        asked.spawn(async move { Ok((place, question.await?)) });
    }
    while let Some(answer) = next(&mut asked).await? {
        answers.push(answer);
    }
    answers.sort_by_key(|(place, _)| *place);
    Ok(answers.into_iter().map(|(_, answer)| answer).collect())
}

async fn next<R: 'static>(asked: &mut JoinSet<Result<(usize, R)>>) -> Result<Option<(usize, R)>> {
    match asked.join_next().await {
        Some(answer) => answer.context("a task ended without an answer")?.map(Some),
        None => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use tokio::sync::Barrier;

    #[tokio::test]
    async fn answers_come_in_the_order_of_the_questions() {
        let both = Arc::new(Barrier::new(2));
        // The first waits for the last: they are under way together.
        let answers = side_by_side(0..3, |n| {
            let both = Arc::clone(&both);
            async move {
                if n != 1 {
                    both.wait().await;
                }
                Ok(n * 10)
            }
        });
        assert_eq!(answers.await.unwrap(), [0, 10, 20]);
    }

    #[tokio::test]
    async fn more_questions_than_fit_at_once_are_all_answered() {
        let answers = side_by_side(0..100, |n| async move { Ok(n) }).await.unwrap();
        assert_eq!(answers, (0..100).collect::<Vec<_>>());
        let failed = side_by_side(0..100, |n| async move {
            anyhow::ensure!(n < 50, "no {n}");
            Ok(n)
        })
        .await;
        assert!(failed.is_err());
    }
}
