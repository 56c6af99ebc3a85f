//! Long work without the GIL, which Ctrl-C stops.
//!
//! Python runs signal handlers only in its main thread, between two instructions. So the work runs
//! on a thread of its own, while the thread of the caller looks for signals and shows progress.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use fusiongen::Progress;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

/// How often signals are looked for and progress is shown.
const TICK: Duration = Duration::from_millis(50);

/// Progress of a run: rows that are done, and whether to stop.
#[derive(Debug, Default)]
pub struct Watch {
    rows: AtomicU64,
    stopped: AtomicBool,
}

impl Progress for Watch {
    fn advance(&self, rows: u64) {
        self.rows.fetch_add(rows, Ordering::Relaxed);
    }

    fn stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }
}

/// What happens to work that a signal interrupts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interrupted {
    /// It asks its [`Watch`] whether to stop: wait for it, because it writes files.
    Stops,
    /// It cannot stop and changes nothing: let it end alone, and forget its result.
    Forgotten,
}

/// Runs `work` without the GIL. `progress` is called with the rows that are done.
///
/// # Errors
/// What a signal handler or `progress` raises, such as `KeyboardInterrupt`.
pub fn run<T: Send + 'static>(
    py: Python<'_>,
    progress: Option<&Bound<'_, PyAny>>,
    interrupted: Interrupted,
    work: impl FnOnce(&Watch) -> T + Send + 'static,
) -> PyResult<T> {
    let watch = Arc::new(Watch::default());
    let (sender, receiver) = channel();
    let of_thread = watch.clone();
    let thread = std::thread::Builder::new()
        .name("fusiongen".into())
        .spawn(move || {
            // The caller may have left.
            let _ = sender.send(work(&of_thread));
        })?;
    let tick = || -> PyResult<()> {
        py.check_signals()?;
        if let Some(progress) = progress {
            progress.call1((watch.rows.load(Ordering::Relaxed),))?;
        }
        Ok(())
    };
    // The receiver is for one thread only, and `detach` wants what threads can share.
    let receiver = std::sync::Mutex::new(receiver);
    loop {
        let received = py.detach(|| match receiver.lock() {
            Ok(receiver) => receiver.recv_timeout(TICK),
            Err(_) => Err(RecvTimeoutError::Disconnected),
        });
        match received {
            Ok(done) => {
                if let Some(progress) = progress {
                    progress.call1((watch.rows.load(Ordering::Relaxed),))?;
                }
                return Ok(done);
            }
            Err(RecvTimeoutError::Timeout) => {
                if let Err(error) = tick() {
                    watch.stopped.store(true, Ordering::Relaxed);
                    if interrupted == Interrupted::Stops {
                        let _ = py.detach(|| thread.join());
                    }
                    return Err(error);
                }
            }
            Err(RecvTimeoutError::Disconnected) => {
                return Err(PyRuntimeError::new_err(
                    "a thread failed: this is a defect of fusiongen; please report it",
                ));
            }
        }
    }
}

/// The progress display that the argument `progress` asks for.
pub struct Display<'py>(Option<Bound<'py, PyAny>>);

impl<'py> Display<'py> {
    /// `None` is a bar in terminals and notebooks, `True` a bar, `False` nothing; a function is
    /// called with the rows that are done and the total.
    ///
    /// # Errors
    /// The argument is something else.
    pub fn new(py: Python<'py>, progress: Option<Bound<'py, PyAny>>, total: u64) -> PyResult<Self> {
        let module = py.import("fusiongen._progress")?;
        let display = module.call_method1("display", (progress, total))?;
        Ok(Display((!display.is_none()).then_some(display)))
    }

    /// As [`run`], with this display, which it removes at the end.
    ///
    /// # Errors
    /// As `run`.
    pub fn run<T: Send + 'static>(
        &self,
        py: Python<'_>,
        interrupted: Interrupted,
        work: impl FnOnce(&Watch) -> T + Send + 'static,
    ) -> PyResult<T> {
        let Some(display) = &self.0 else {
            return run(py, None, interrupted, work);
        };
        let update = display.getattr("update")?;
        let done = run(py, Some(&update), interrupted, work);
        display.call_method0("close")?;
        done
    }
}
