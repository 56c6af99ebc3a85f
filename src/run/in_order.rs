//! Makes units on many threads at once, and stores them in order.
//!
//! The thread that makes the next unit in order stores it, and the units that waited for it, while
//! the other threads go on making units. There is no extra thread that only stores, so N threads
//! use N processors. Nothing here knows what a unit is.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::error::{Error, Result};

/// Maximum number of units in flight, whatever they weigh: each needs buffers.
const IN_FLIGHT: usize = 256;

/// How far the units are.
///
/// 1. Units `..done` are stored, `done..next` are in flight, the others are not begun.
/// 2. `in_flight` is the total weight of `done..next`. It exceeds the room only if one unit alone does.
/// 3. While a thread stores units, `is_open` is false, so that no other thread does.
struct Line<T> {
    next: usize,
    done: usize,
    in_flight: u64,
    /// Units that are made but not stored.
    waiting: BTreeMap<usize, T>,
    is_open: bool,
    failed: Option<Error>,
}

struct Shared<'u, T, S> {
    weights: &'u [u64],
    room: u64,
    line: Mutex<Line<T>>,
    /// Notified when there may be room for another unit, or after a failure.
    turn: Condvar,
    store: Mutex<S>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<T, S> Shared<'_, T, S> {
    /// Waits for room for the next unit, and returns it; none if all are begun or one failed.
    fn take(&self) -> Option<usize> {
        let mut line = lock(&self.line);
        loop {
            let unit = line.next;
            let weight = *self.weights.get(unit).filter(|_| line.failed.is_none())?;
            if unit == line.done
                || (unit - line.done < IN_FLIGHT && line.in_flight + weight <= self.room)
            {
                line.next += 1;
                line.in_flight += weight;
                return Some(unit);
            }
            line = (self.turn.wait(line)).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn fail(&self, error: Error) {
        lock(&self.line).failed.get_or_insert(error);
        self.turn.notify_all();
    }

    /// Accepts a unit that is made. Stores all units that are next, unless another thread does so.
    fn deliver(&self, unit: usize, made: T, put: &impl Fn(&mut S, usize, T) -> Result<()>) {
        let mut line = lock(&self.line);
        line.waiting.insert(unit, made);
        if !line.is_open {
            return;
        }
        line.is_open = false;
        let mut store = lock(&self.store);
        loop {
            let done = line.done;
            let Some(made) = line.waiting.remove(&done) else {
                // Opened before the lock is released, so that the next delivery stores.
                line.is_open = true;
                return;
            };
            drop(line);
            if let Err(error) = put(&mut store, done, made) {
                return self.fail(error);
            }
            line = lock(&self.line);
            line.done += 1;
            line.in_flight -= self.weights[done];
            self.turn.notify_all();
        }
    }
}

/// Makes units `0..weights.len()` on the threads of `pool`, and puts them into `store` in order;
/// returns the store. Units in flight (being made, or made but not stored) weigh at most `room`
/// together; a single unit may weigh more. Neither `make` nor `put` may panic.
///
/// # Errors
/// The first error of `make` or `put`. Units that are being made at that time are dropped when done.
pub(super) fn in_order<T: Send, S: Send>(
    pool: &rayon::ThreadPool,
    weights: &[u64],
    room: u64,
    make: impl Fn(usize) -> Result<T> + Sync,
    store: S,
    put: impl Fn(&mut S, usize, T) -> Result<()> + Sync,
) -> Result<S> {
    let shared = Shared {
        weights,
        room,
        line: Mutex::new(Line {
            next: 0,
            done: 0,
            in_flight: 0,
            waiting: BTreeMap::new(),
            is_open: true,
            failed: None,
        }),
        turn: Condvar::new(),
        store: Mutex::new(store),
    };
    pool.broadcast(|_| {
        while let Some(unit) = shared.take() {
            match make(unit) {
                Ok(made) => shared.deliver(unit, made, &put),
                Err(error) => shared.fail(error),
            }
        }
    });
    let line = (shared.line.into_inner()).unwrap_or_else(PoisonError::into_inner);
    match line.failed {
        Some(error) => Err(error),
        None => Ok((shared.store.into_inner()).unwrap_or_else(PoisonError::into_inner)),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use proptest::prelude::*;

    use super::*;

    fn pool(threads: usize) -> rayon::ThreadPool {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        pool.build().unwrap()
    }

    fn broken(unit: usize) -> Error {
        Error::Defect {
            path: unit.to_string().into(),
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn units_are_stored_in_order_and_fit_the_room(
            weights in prop::collection::vec(0u64..50, 0..400),
            room in 1u64..100,
            threads in 1usize..5,
        ) {
            let (flying, heaviest) = (AtomicU64::new(0), AtomicU64::new(0));
            let make = |unit: usize| {
                let now = flying.fetch_add(weights[unit], Ordering::SeqCst) + weights[unit];
                // A single unit may weigh more than the room.
                if now != weights[unit] {
                    heaviest.fetch_max(now, Ordering::SeqCst);
                }
                Ok(unit * 3)
            };
            let put = |store: &mut Vec<usize>, unit: usize, made: usize| {
                assert_eq!(made, unit * 3);
                flying.fetch_sub(weights[unit], Ordering::SeqCst);
                store.push(unit);
                Ok(())
            };
            let store = in_order(&pool(threads), &weights, room, make, Vec::new(), put).unwrap();
            prop_assert_eq!(store, (0..weights.len()).collect::<Vec<_>>());
            prop_assert!(heaviest.into_inner() <= room + 50);
        }

        #[test]
        fn the_first_failure_ends_the_run(units in 1usize..300, at in 0usize..300, threads in 1usize..5, while_put: bool) {
            let at = at % units;
            let put_away = AtomicU64::new(0);
            let outcome = in_order(
                &pool(threads),
                &vec![1; units],
                20,
                |unit| if unit == at && !while_put { Err(broken(unit)) } else { Ok(()) },
                (),
                |(), unit, ()| {
                    if unit == at {
                        return Err(broken(unit));
                    }
                    put_away.fetch_add(1, Ordering::SeqCst);
                    Ok(())
                },
            );
            let named = format!("{at}:");
            prop_assert!(outcome.is_err_and(|e| e.to_string().starts_with(&named)));
            prop_assert!(put_away.into_inner() <= at as u64);
        }
    }
}
