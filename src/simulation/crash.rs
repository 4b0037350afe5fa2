//! The death of the process, at any step.
//!
//! Owns a countdown of this thread. `store/` passes a point before and after every commit and the simulation's transport before and after
//! every request; where the countdown ends nothing ever goes on, and the engine is dropped with all it holds in memory.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

#[derive(Default)]
struct Countdown {
    left: Option<u32>,
    crashed: bool,
    /// The disk fails at the next point of a write, instead of the process.
    write_fails: Option<u32>,
    waker: Option<Waker>,
}

thread_local! {
    static COUNTDOWN: RefCell<Countdown> = RefCell::default();
}

/// One step of the process. Never ends where the process dies.
pub(crate) async fn point() {
    let dead = COUNTDOWN.with_borrow_mut(|countdown| {
        if let Some(left) = &mut countdown.left {
            *left = left.saturating_sub(1);
            if *left == 0 {
                countdown.left = None;
                countdown.crashed = true;
                if let Some(waker) = countdown.waker.take() {
                    waker.wake();
                }
            }
        }
        countdown.crashed
    });
    if dead {
        std::future::pending::<()>().await;
    }
}

/// Whether this write fails, as on a full disk.
pub(crate) fn write_fails() -> bool {
    COUNTDOWN.with_borrow_mut(|countdown| match &mut countdown.write_fails {
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
    COUNTDOWN.with_borrow_mut(|countdown| countdown.left = Some(steps.max(1)));
}

/// The `writes`-th write from now fails.
pub(super) fn arm_write(writes: u32) {
    COUNTDOWN.with_borrow_mut(|countdown| countdown.write_fails = Some(writes.max(1)));
}

/// A new process.
pub(super) fn reset() {
    COUNTDOWN.with_borrow_mut(|countdown| *countdown = Countdown::default());
}

/// Runs `life` until it ends or the process dies in it: then `None`, and all that `life` held is gone.
pub(super) fn survives<F: Future>(life: F) -> Survives<F> {
    Survives(Box::pin(life))
}

pub(super) struct Survives<F>(Pin<Box<F>>);

impl<F: Future> Future for Survives<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        COUNTDOWN.with_borrow_mut(|countdown| countdown.waker = Some(cx.waker().clone()));
        let polled = self.0.as_mut().poll(cx);
        if COUNTDOWN.with_borrow(|countdown| countdown.crashed) {
            return Poll::Ready(None);
        }
        polled.map(Some)
    }
}
