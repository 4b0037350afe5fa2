//! The death of the process, at any step.
//!
//! Owns a countdown of this thread. Every commit of a database that this thread opened is a step, also that of a single statement, and so
//! are the return from a commit and the simulation's line before and after every request. Where the countdown ends nothing ever goes on:
//! the engine is dropped with all it holds in memory, and what its connection was still told to do is rolled back.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use sqlx::sqlite::SqliteConnection;

#[derive(Default)]
struct Countdown {
    left: Option<u32>,
    crashed: bool,
    /// Whoever runs the process has let go of it.
    buried: bool,
    /// The disk fails at the next point of a write, instead of the process.
    write_fails: Option<u32>,
    waker: Option<Waker>,
}

impl Countdown {
    /// One step; whether the process is dead.
    fn step(&mut self) -> bool {
        if let Some(left) = &mut self.left {
            *left = left.saturating_sub(1);
            if *left == 0 {
                self.left = None;
                self.crashed = true;
                if let Some(waker) = self.waker.take() {
                    waker.wake();
                }
            }
        }
        self.crashed
    }
}

/// Shared with the connections of one process; a new process gets its own, and what is dead stays dead.
#[derive(Default)]
struct Process {
    countdown: Mutex<Countdown>,
    buried: Condvar,
}

impl Process {
    /// A commit: false where the process dies of it. Answers only when nobody can hear it: a late error would be heard now and then by an
    /// engine that is dead.
    fn may_commit(&self) -> bool {
        let mut countdown = self.countdown.lock().unwrap_or_else(PoisonError::into_inner);
        let dead = countdown.step();
        drop(self.buried.wait_while(countdown, |countdown| countdown.crashed && !countdown.buried));
        !dead
    }

    fn bury(&self) {
        self.countdown.lock().unwrap_or_else(PoisonError::into_inner).buried = true;
        self.buried.notify_all();
    }
}

thread_local! {
    static PROCESS: RefCell<Arc<Process>> = RefCell::default();
}

fn with<R>(what: impl FnOnce(&mut Countdown) -> R) -> R {
    let process = PROCESS.with_borrow(Arc::clone);
    what(&mut process.countdown.lock().unwrap_or_else(PoisonError::into_inner))
}

/// One step of the process. Never ends where the process dies.
pub(crate) async fn point() {
    if with(Countdown::step) {
        std::future::pending::<()>().await;
    }
}

/// Makes every commit of this connection a step, before it has happened (<https://www.sqlite.org/c3ref/commit_hook.html>).
pub(crate) async fn watch(conn: &mut SqliteConnection) {
    let process = PROCESS.with_borrow(Arc::clone);
    conn.lock_handle().await.expect("a new connection has a handle").set_commit_hook(move || process.may_commit());
}

/// Whether this write fails, as on a full disk.
pub(crate) fn write_fails() -> bool {
    with(|countdown| match &mut countdown.write_fails {
        Some(left) if *left <= 1 => {
            countdown.write_fails = None;
            true
        }
        Some(left) => {
            *left -= 1;
            false
        }
        None => false,
    })
}

/// The process will die at the `steps`-th point from now.
pub(super) fn arm(steps: u32) {
    with(|countdown| countdown.left = Some(steps.max(1)));
}

/// The `writes`-th write from now fails.
pub(super) fn arm_write(writes: u32) {
    with(|countdown| countdown.write_fails = Some(writes.max(1)));
}

/// The process is not to die any more; or a new one, if it has.
pub(super) fn reset() {
    if with(|countdown| countdown.crashed) {
        PROCESS.with_borrow(Arc::clone).bury();
        PROCESS.set(Arc::default());
    }
    with(|countdown| *countdown = Countdown::default());
}

/// Runs `life` until it ends or the process dies in it: then `None`, and all that `life` held is gone.
pub(super) fn survives<F: Future>(life: F) -> Survives<F> {
    Survives(Box::pin(life))
}

pub(super) struct Survives<F>(Pin<Box<F>>);

impl<F: Future> Future for Survives<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        with(|countdown| countdown.waker = Some(cx.waker().clone()));
        if !with(|countdown| countdown.crashed) {
            let polled = self.0.as_mut().poll(cx);
            if !with(|countdown| countdown.crashed) {
                return polled.map(Some);
            }
        }
        PROCESS.with_borrow(Arc::clone).bury();
        Poll::Ready(None)
    }
}
