//! Together: what is asked in the same moment is answered by one piece of work, so that many share
//! a statement, a transaction or an fsync. The first who asks begins; whoever comes while work is
//! under way waits and is taken along by the next piece. Nobody waits for others to come.

use kernel::Fault;
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::sync::Arc;
use tokio::sync::oneshot;

type Waiting<Ask, Answer> = (Ask, oneshot::Sender<Result<Answer, Fault>>);

struct Queue<Ask, Answer> {
    waiting: VecDeque<Waiting<Ask, Answer>>,
    /// Somebody empties the queue.
    busy: bool,
}

/// A queue whose asks are answered together.
pub struct Together<Ask, Answer> {
    whose: &'static str,
    at_once: usize,
    most: usize,
    queue: Mutex<Queue<Ask, Answer>>,
}

/// Takes the mark away when the work ends, however it ends.
struct Busy<Ask, Answer>(Option<Arc<Together<Ask, Answer>>>);

impl<Ask, Answer> Drop for Busy<Ask, Answer> {
    fn drop(&mut self) {
        if let Some(queue) = self.0.take() {
            let mut queue = queue.queue.lock();
            queue.busy = false;
            // Whoever still waits learns that nothing was done.
            queue.waiting.clear();
        }
    }
}

impl<Ask, Answer> Together<Ask, Answer>
where
    Ask: Send + 'static,
    Answer: Send + 'static,
{
    /// A queue of an engine of this name: so many asks in one piece of work, so many waiting;
    /// more are refused with `system.overloaded`.
    pub fn new(whose: &'static str, at_once: usize, most: usize) -> Arc<Together<Ask, Answer>> {
        Arc::new(Together {
            whose,
            at_once,
            most,
            queue: Mutex::new(Queue {
                waiting: VecDeque::new(),
                busy: false,
            }),
        })
    }

    /// The answer to an ask. The work, which answers asks in their order, goes on in a task of its
    /// own, and is done even if whoever asked no longer waits.
    pub async fn ask<Work, Answers>(self: &Arc<Self>, ask: Ask, work: Work) -> Result<Answer, Fault>
    where
        Work: Fn(Vec<Ask>) -> Answers + Send + 'static,
        Answers: Future<Output = Vec<Result<Answer, Fault>>> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        {
            let mut queue = self.queue.lock();
            if queue.waiting.len() >= self.most {
                return Err(Fault::overloaded(self.whose, 5));
            }
            queue.waiting.push_back((ask, answer));
            if !queue.busy {
                queue.busy = true;
                tokio::spawn(empty(Busy(Some(self.clone())), work));
            }
        }
        let gone = |_| Err(Fault::overloaded(self.whose, 1));
        answered.await.unwrap_or_else(gone)
    }
}

async fn empty<Ask, Answer, Work, Answers>(mut busy: Busy<Ask, Answer>, work: Work)
where
    Work: Fn(Vec<Ask>) -> Answers,
    Answers: Future<Output = Vec<Result<Answer, Fault>>>,
{
    while let Some(together) = busy.0.clone() {
        let some: Vec<Waiting<Ask, Answer>> = {
            let mut queue = together.queue.lock();
            let count = queue.waiting.len().min(together.at_once);
            if count == 0 {
                queue.busy = false;
                busy.0 = None;
                return;
            }
            queue.waiting.drain(..count).collect()
        };
        let (asks, answers): (Vec<Ask>, Vec<_>) = some.into_iter().unzip();
        for (answer, outcome) in answers.into_iter().zip(work(asks).await) {
            // Whoever asked may be gone.
            let _ = answer.send(outcome);
        }
    }
}

/// The same fault for all of these, when what they share failed.
pub fn each<Answer>(
    count: usize,
    outcome: Result<Vec<Answer>, Fault>,
) -> Vec<Result<Answer, Fault>> {
    match outcome {
        Ok(answers) => answers.into_iter().map(Ok).collect(),
        Err(fault) => std::iter::repeat_with(|| Err(fault.clone()))
            .take(count)
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    /// Doubles numbers, slowly; breaks at 13.
    async fn double(numbers: Vec<u64>) -> Vec<Result<u64, Fault>> {
        tokio::time::sleep(Duration::from_millis(5)).await;
        assert!(!numbers.contains(&13), "it broke");
        numbers.into_iter().map(|n| Ok(2 * n)).collect()
    }

    #[tokio::test]
    async fn all_are_answered_and_few_pieces_are_done() {
        let pieces = Arc::new(AtomicUsize::new(0));
        let queue = Together::new("store", 40, 1000);
        let asks = (100..200_u64).map(|n| {
            let (queue, pieces) = (queue.clone(), pieces.clone());
            tokio::spawn(async move {
                let work = move |numbers: Vec<u64>| {
                    pieces.fetch_add(1, Ordering::Relaxed);
                    assert!(numbers.len() <= 40);
                    double(numbers)
                };
                assert_eq!(queue.ask(n, work).await.unwrap(), 2 * n);
            })
        });
        for ask in asks.collect::<Vec<_>>() {
            ask.await.unwrap();
        }
        let pieces = pieces.load(Ordering::Relaxed);
        assert!((3..=5).contains(&pieces), "{pieces} pieces");
        assert!(!queue.queue.lock().busy);
    }

    #[tokio::test]
    async fn work_that_breaks_leaves_nobody_waiting() {
        let queue = Together::new("store", 1, 1000);
        let broken = tokio::spawn({
            let queue = queue.clone();
            async move { queue.ask(13, double).await }
        });
        tokio::task::yield_now().await;
        let behind = queue.ask(14, double).await;
        assert_eq!(broken.await.unwrap().unwrap_err().code, "system.overloaded");
        assert_eq!(behind.unwrap_err().code, "system.overloaded");
        assert_eq!(queue.ask(15, double).await.unwrap(), 30);
    }

    #[tokio::test]
    async fn who_leaves_is_served_and_too_many_are_refused() {
        let queue = Together::new("store", 1, 2);
        let asks: Vec<_> = (1..=5_u64)
            .map(|n| {
                let queue = queue.clone();
                tokio::spawn(async move { queue.ask(n, double).await })
            })
            .collect();
        let mut refused = 0;
        for ask in asks {
            match ask.await.unwrap() {
                Ok(_) => {}
                Err(fault) => {
                    assert_eq!(fault.code, "system.overloaded");
                    refused += 1;
                }
            }
        }
        assert!((2..=3).contains(&refused), "{refused} refused");
        let done = Arc::new(AtomicUsize::new(0));
        let seen = done.clone();
        let work = move |numbers: Vec<u64>| {
            let seen = seen.clone();
            async move {
                tokio::time::sleep(Duration::from_millis(20)).await;
                seen.fetch_add(1, Ordering::Relaxed);
                numbers.into_iter().map(Ok).collect()
            }
        };
        let left = tokio::time::timeout(Duration::from_millis(1), queue.ask(1, work)).await;
        assert!(left.is_err());
        queue.ask(2, double).await.unwrap();
        assert_eq!(done.load(Ordering::Relaxed), 2);
    }
}
