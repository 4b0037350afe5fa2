//! Lists that look sorted, and are not.

use crate::daemon::testing::{World, at, order_of};
use crate::sandbox::Sandbox;
use crate::sandbox::settings::{ListSettings, Settings, Sort};

/// Pages of three, a `total` of three, and an order of their own: by chance the first page goes from newer to older, and nothing new is on it.
fn hardly_readable(settings: &mut Settings, seed: u64) {
    settings.seed = seed;
    settings.list = ListSettings { sort: Sort::Shuffled, page_cap: Some(3), total_cap: Some(3), ..ListSettings::default() };
}

async fn someone_renews_each_day(world: &mut World, sandbox: &Sandbox) {
    for (day, partner) in [("2027-01-03", 2), ("2027-01-05", 3), ("2027-01-07", 4), ("2027-01-09", 5), ("2027-02-12", 1)] {
        world.clock.set(at(&format!("{day}T09:00:00Z")));
        if partner == 1 {
            world.engine.look_at_portal().await.unwrap();
        }
        order_of(sandbox, partner);
    }
}

#[tokio::test]
async fn an_order_behind_the_first_page_is_seen_whatever_the_count_and_the_sorting_look_like() {
    for seed in 0..40 {
        let (mut world, sandbox, _) = World::before_sandbox().await;
        sandbox.change(|settings| hardly_readable(settings, seed));
        someone_renews_each_day(&mut world, &sandbox).await;
        world.live_until("2027-02-15T09:00:00Z").await;
        assert_eq!(world.states().await, ["held foreign_order"], "seed {seed}");
    }
}
