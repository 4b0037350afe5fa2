//! Keeps each world on one core.
//!
//! A world and the thread of its database hand each other every statement. On two cores each handing over wakes a sleeping core, which costs
//! as much as the work itself; on one it is a switch. Never fails: where the system does not let threads stay, worlds only take longer.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// While it lives, this thread and those that it starts stay where they are.
pub(super) struct Stays {
    before: CpuSet,
}

/// How many worlds to play at a time.
pub(super) fn count() -> usize {
    std::thread::available_parallelism().map_or(2, std::num::NonZero::get)
}

/// Chooses a core for this thread, the same one each time.
pub(super) fn stay() -> Option<Stays> {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static PLACE: Cell<usize> = Cell::new(NEXT.fetch_add(1, Ordering::Relaxed));
    }
    let before = sched_getaffinity(None).ok()?;
    let allowed: Vec<usize> = (0..CpuSet::MAX_CPU).filter(|cpu| before.is_set(*cpu)).collect();
    let mut one = CpuSet::new();
    one.set(*allowed.get(PLACE.get() % allowed.len().max(1))?);
    sched_setaffinity(None, &one).ok()?;
    Some(Stays { before })
}

impl Drop for Stays {
    fn drop(&mut self) {
        // Where this fails the thread only stays where it is.
        let _ = sched_setaffinity(None, &self.before);
    }
}

/// How often a world lets the other thread go first before it goes to sleep.
const TURNS: u32 = 64;

/// Wakes a world that lets others go first by a flag, and one that sleeps as its runtime does.
struct Bell {
    rung: AtomicBool,
    sleeper: Waker,
}

impl Bell {
    fn rings_soon(&self) -> bool {
        (0..TURNS).any(|_| {
            std::thread::yield_now();
            self.rung.swap(false, Ordering::AcqRel)
        })
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.rung.store(true, Ordering::Release);
        self.sleeper.wake_by_ref();
    }
}

/// Lives `world`, and while it waits for its database lets that go first instead of going to sleep and being woken, which is most of what a
/// statement costs.
pub(super) async fn taking_turns<T>(world: impl Future<Output = T>) -> T {
    let mut world = pin!(world);
    poll_fn(|context| {
        let bell = Arc::new(Bell { rung: AtomicBool::new(false), sleeper: context.waker().clone() });
        let waker = Waker::from(Arc::clone(&bell));
        loop {
            match world.as_mut().poll(&mut Context::from_waker(&waker)) {
                Poll::Pending if bell.rings_soon() => {}
                lived_or_asleep => return lived_or_asleep,
            }
        }
    })
    .await
}
