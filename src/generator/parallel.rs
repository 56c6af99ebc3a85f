//! Items that threads make from spans ahead of their consumer, in order.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use super::spans::{Span, Spans};

/// Items per thread that are made or being made and not yet taken. They bound the memory of a
/// stream whose consumer is slow.
const AHEAD: usize = 2;

/// Why there is no item.
pub(super) enum Failure {
    /// The maker panicked, which is a defect.
    Panicked,
    /// The operating system starts no thread.
    NoThread(std::io::Error),
}

/// Makes the items. A thread calls it for each span.
pub(super) trait Make: Send + Sync + 'static {
    type Item: Send;

    fn make(&self, span: &Span) -> Self::Item;

    /// The item that reports a failure.
    fn failed(&self, failure: Failure) -> Self::Item;
}

/// Spans that no thread has begun, and how many were begun.
struct Source {
    spans: Spans,
    begun: usize,
}

/// Items that the consumer has not taken. Item `n` is that of the `n`th span.
struct Line<T> {
    made: BTreeMap<usize, T>,
    taken: usize,
    /// The number of spans, once it is known.
    end: Option<usize>,
    /// The consumer wants no more.
    is_stopped: bool,
}

struct Shared<M: Make> {
    maker: Arc<M>,
    /// A thread that begins a row group sorts its rows. So this lock is not the consumer's.
    source: Mutex<Source>,
    line: Mutex<Line<M::Item>>,
    /// Something in `line` has changed.
    changed: Condvar,
    ahead: usize,
}

/// The items of a maker, in the order of their spans. The threads start with the first call of
/// `next`, and end when the iterator is dropped.
pub(super) struct Parallel<M: Make> {
    shared: Arc<Shared<M>>,
    threads: Vec<JoinHandle<()>>,
    /// Threads to start with the first item.
    to_start: usize,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<M: Make> Shared<M> {
    /// Makes items until there are no more spans, or the consumer wants no more.
    fn work(&self) {
        loop {
            let (number, span) = {
                let mut source = lock(&self.source);
                let number = source.begun;
                let mut line = lock(&self.line);
                while number >= line.taken + self.ahead && !line.is_stopped {
                    line = self.wait(line);
                }
                // After a failure or the end there is no further span.
                if line.is_stopped || line.end.is_some() {
                    return;
                }
                drop(line);
                let span = catch_unwind(AssertUnwindSafe(|| source.spans.next()));
                match span {
                    Ok(Some(span)) => {
                        source.begun += 1;
                        (number, span)
                    }
                    Ok(None) => return self.end(number, None),
                    Err(_) => {
                        return self.end(number, Some(self.maker.failed(Failure::Panicked)));
                    }
                }
            };
            let made = catch_unwind(AssertUnwindSafe(|| self.maker.make(&span)));
            let made = made.unwrap_or_else(|_| self.maker.failed(Failure::Panicked));
            lock(&self.line).made.insert(number, made);
            self.changed.notify_all();
        }
    }

    /// There is no span of this number, because of an error or because it is the end.
    fn end(&self, number: usize, error: Option<M::Item>) {
        let mut line = lock(&self.line);
        let failed = error.map(|error| line.made.insert(number, error));
        line.end = Some(number + usize::from(failed.is_some()));
        self.changed.notify_all();
    }

    fn wait<'l>(&self, line: MutexGuard<'l, Line<M::Item>>) -> MutexGuard<'l, Line<M::Item>> {
        let line = self.changed.wait(line);
        line.unwrap_or_else(PoisonError::into_inner)
    }
}

impl<M: Make> Parallel<M> {
    pub(super) fn new(maker: Arc<M>, spans: Spans, threads: usize) -> Self {
        let threads = threads.max(1);
        let shared = Shared {
            maker,
            source: Mutex::new(Source { spans, begun: 0 }),
            line: Mutex::new(Line {
                made: BTreeMap::new(),
                taken: 0,
                end: None,
                is_stopped: false,
            }),
            changed: Condvar::new(),
            ahead: AHEAD * threads,
        };
        Parallel {
            shared: Arc::new(shared),
            threads: Vec::new(),
            to_start: threads,
        }
    }

    pub(super) fn maker(&self) -> &M {
        &self.shared.maker
    }

    /// Starts the threads.
    ///
    /// # Errors
    /// The operating system starts none.
    fn start(&mut self) -> std::io::Result<()> {
        for _ in 0..std::mem::take(&mut self.to_start) {
            let shared = self.shared.clone();
            let thread = std::thread::Builder::new()
                .name("fusiongen".into())
                .spawn(move || shared.work());
            match thread {
                Ok(thread) => self.threads.push(thread),
                Err(error) if self.threads.is_empty() => {
                    // No thread makes further items, so the consumer must not wait for them.
                    lock(&self.shared.line).is_stopped = true;
                    return Err(error);
                }
                // Fewer threads make the same items.
                Err(_) => break,
            }
        }
        Ok(())
    }
}

impl<M: Make> Iterator for Parallel<M> {
    type Item = M::Item;

    fn next(&mut self) -> Option<M::Item> {
        if let Err(error) = self.start() {
            return Some(self.maker().failed(Failure::NoThread(error)));
        }
        let mut line = lock(&self.shared.line);
        loop {
            let next = line.taken;
            if let Some(made) = line.made.remove(&next) {
                line.taken += 1;
                self.shared.changed.notify_all();
                return Some(made);
            }
            if line.is_stopped || line.end.is_some_and(|end| next >= end) {
                return None;
            }
            line = self.shared.wait(line);
        }
    }
}

impl<M: Make> Drop for Parallel<M> {
    fn drop(&mut self) {
        lock(&self.shared.line).is_stopped = true;
        self.shared.changed.notify_all();
        for thread in self.threads.drain(..) {
            // Its panics were caught.
            let _ = thread.join();
        }
    }
}
