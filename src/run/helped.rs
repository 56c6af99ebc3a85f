//! Hands the ends of work to helper threads, so that whoever works need not wait for a network.
//! Nothing here knows what is ended.

use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::error::{Error, Result};

/// Takes an item whose end is still to be made; waits while every helper is busy.
pub(super) type Hand<'h, T> = dyn Fn(T) -> Result<()> + Sync + 'h;

struct Ends<R> {
    made: Vec<R>,
    failed: Option<Error>,
    /// Stays true when the caller has taken the error.
    has_failed: bool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Does `work`, which hands items over, and `end`s each item on one of `helpers` threads; with no
/// helpers, where it is handed over. Returns the ends in any order. `end` must not panic.
///
/// # Errors
/// The first error of `work` or of an `end`. After a failure nothing more is ended.
pub(super) fn helped<T: Send, R: Send>(
    helpers: usize,
    end: impl Fn(T) -> Result<R> + Sync,
    work: impl FnOnce(&Hand<'_, T>) -> Result<()>,
) -> Result<Vec<R>> {
    let ends = Mutex::new(Ends {
        made: Vec::new(),
        failed: None,
        has_failed: false,
    });
    let end_one = |item: T| {
        if lock(&ends).has_failed {
            return;
        }
        match end(item) {
            Ok(made) => lock(&ends).made.push(made),
            Err(error) => {
                let mut ends = lock(&ends);
                ends.has_failed = true;
                ends.failed.get_or_insert(error);
            }
        }
    };
    // The caller learns of a failure when it hands over the next item.
    let check = || match lock(&ends).failed.take() {
        Some(error) => Err(error),
        None => Ok(()),
    };
    let worked = match helpers {
        0 => work(&|item| {
            end_one(item);
            check()
        }),
        _ => {
            // Without room in the channel, only what the helpers hold waits.
            let (sender, receiver) = sync_channel::<T>(0);
            let receiver = Mutex::new(receiver);
            std::thread::scope(|scope| {
                for _ in 0..helpers {
                    scope.spawn(|| {
                        while let Some(item) = next(&receiver) {
                            end_one(item);
                        }
                    });
                }
                // Dropped when the work is done, which ends the helpers.
                let sender = sender;
                work(&|item| {
                    let _ = sender.send(item);
                    check()
                })
            })
        }
    };
    let ends = ends.into_inner().unwrap_or_else(PoisonError::into_inner);
    worked?;
    match ends.failed {
        Some(error) => Err(error),
        None => Ok(ends.made),
    }
}

/// The next item; `None` when there will be no more.
fn next<T>(receiver: &Mutex<Receiver<T>>) -> Option<T> {
    lock(receiver).recv().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broken() -> Error {
        Error::Defect {
            path: "broken".into(),
        }
    }

    #[test]
    fn every_item_is_ended_once() {
        for helpers in [0, 1, 4] {
            let end = |item: u32| Ok(item * 2);
            let work = |hand: &Hand<'_, u32>| (0..100).try_for_each(hand);
            let mut ended = helped(helpers, end, work).unwrap();
            ended.sort_unstable();
            assert_eq!(ended, (0..100).map(|item| item * 2).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_failure_of_an_end_or_of_the_work_is_returned() {
        for helpers in [0, 1, 4] {
            let end = |item: u32| if item == 99 { Err(broken()) } else { Ok(item) };
            let work = |hand: &Hand<'_, u32>| (0..100).try_for_each(hand);
            assert!(helped(helpers, end, work).is_err());
            let work = |hand: &Hand<'_, u32>| hand(1).and(Err(broken()));
            assert!(helped(helpers, Ok, work).is_err());
        }
    }

    #[test]
    fn the_work_ends_after_a_failure() {
        let handed = std::sync::atomic::AtomicU32::new(0);
        let work = |hand: &Hand<'_, u32>| {
            (0..1000).try_for_each(|item| {
                handed.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                hand(item)
            })
        };
        assert!(helped::<u32, ()>(2, |_| Err(broken()), work).is_err());
        assert!(handed.into_inner() < 1000);
    }
}
