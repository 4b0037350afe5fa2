//! Ten thousand orders that are due at once.

mod bare;
pub mod syncs;

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use bare::Bare;

use crate::help::{Place, Portal, due, engine, entries, file, report, runtime, settled};

const BOUND: f64 = 0.8;
const ORDERS: u64 = 10_000;
/// How many orders the engine has in flight (R10), and so the bare loop.
const IN_FLIGHT: usize = 32;
/// What a portal somewhere in the internet takes for an order, at least.
const FAR: Duration = Duration::from_millis(100);

pub fn measure() -> Result<()> {
    for (portal, delay) in [("answers at once", None), ("takes 100 ms for an order", Some(FAR))] {
        runtime()?.block_on(rates(delay))?.report(portal)?;
    }
    Ok(())
}

/// Orders a second.
struct Rates {
    engine: f64,
    bare: f64,
}

impl Rates {
    fn report(&self, portal: &str) -> Result<()> {
        let ratio = self.engine / self.bare;
        let figure = format!("{:.0} % of a bare loop ({:.0} and {:.0} a second)", ratio * 100.0, self.engine, self.bare);
        let what = format!("burst: 10,000 orders due at once, {IN_FLIGHT} in flight, at a portal that {portal}");
        report(&what, &figure, Some(("80 %", ratio >= BOUND)))
    }
}

/// The engine and the bare loop take turns, each with a portal of its own, so that a busy machine is busy for both.
async fn rates(delay: Option<Duration>) -> Result<Rates> {
    let (portal, other) = (Portal::open()?, Portal::open()?);
    let place = learned(&portal)?;
    let bare = Bare::new(other.address).await?;
    if let Some(delay) = delay {
        portal.slow_down(delay, u32::MAX);
        other.slow_down(delay, u32::MAX);
    }
    let mut engine = engine(&place).await?;
    let (mut ours, mut theirs, mut placed) = (Duration::ZERO, Duration::ZERO, 0);
    while placed < ORDERS {
        let began = Instant::now();
        let ticked = engine.tick().await?;
        ours += began.elapsed();
        ensure!(ticked.looked_at > 0, "nothing more is due after {placed} orders");
        let orders = ticked.placed.len();
        let began = Instant::now();
        bare.send(orders, IN_FLIGHT).await?;
        theirs += began.elapsed();
        placed += orders as u64;
    }
    ensure!(portal.orders() as u64 == ORDERS + 1, "the portal has {} orders", portal.orders());
    let rate = |time: Duration| f64::from(u32::try_from(placed).unwrap_or(u32::MAX)) / time.as_secs_f64();
    Ok(Rates { engine: rate(ours), bare: rate(theirs) })
}

/// A folder in which the first order was read back, and ten thousand others are due.
fn learned(portal: &Portal) -> Result<Place> {
    let place = Place::with(&(settled(portal.address, "1 s") + &entries(0..1, due())))?;
    place.done(&["run", "--once"])?;
    std::thread::sleep(Duration::from_millis(1100)); // one settle: the order is read back then
    place.done(&["run", "--once"])?;
    place.write(&(file(portal.address) + &entries(0..ORDERS + 1, due())))?;
    Ok(place)
}
