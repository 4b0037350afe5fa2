//! A look with nothing due, however many terms there are.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use renewd::daemon::engine::Engine;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection as _, SqliteConnection};

use crate::help::{Place, Portal, engine, entries, file, later, median, ms, report, runtime};

const BOUND: Duration = Duration::from_millis(1);
const LOOKS: usize = 500;
/// Each with the nine terms before the one that comes.
const SUBSCRIPTIONS: i64 = 100_000;

pub fn measure() -> Result<()> {
    runtime()?.block_on(async {
        let portal = Portal::open()?;
        let (few, many) = (place(&portal)?, place(&portal)?);
        fill(&many.database()).await?;
        let (mut few, mut many) = (engine(&few).await?, engine(&many).await?);
        let (mut short, mut long) = (Vec::new(), Vec::new());
        for _ in 0..LOOKS {
            short.push(look(&mut few).await?);
            long.push(look(&mut many).await?);
        }
        let (short, long) = (median(short), median(long));
        let figure = format!("{}; with one term {}", ms(long), ms(short));
        report("tick: a look with nothing due, a million terms (median of 500)", &figure, Some(("1 ms", long <= BOUND)))
    })
}

fn place(portal: &Portal) -> Result<Place> {
    Place::with(&(file(portal.address) + &entries(0..1, later())))
}

async fn look(engine: &mut Engine) -> Result<Duration> {
    let began = Instant::now();
    let mut looked_at = 0;
    engine.run_dry(|ticked| looked_at += ticked.looked_at).await?;
    let took = began.elapsed();
    anyhow::ensure!(looked_at == 0, "something was due");
    Ok(took)
}

/// Makes a hundred thousand of the one subscription that is there, each with ten terms; due on different days of the coming year.
async fn fill(database: &Path) -> Result<()> {
    let mut conn = SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(database)).await?;
    sqlx::query("PRAGMA synchronous = OFF").execute(&mut conn).await?;
    sqlx::query(
        "WITH RECURSIVE n (i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < $1)
         INSERT INTO subscription (account_id, product_id, partner_id, item_id, name, active, seed_on, anchor_on, entry, created_at)
         SELECT account_id, product_id, 4000000000000000000 + i, item_id, 'copy-' || i, 1, seed_on, date(anchor_on, '-9 years'), entry, created_at
         FROM n, subscription WHERE id = 1",
    )
    .bind(SUBSCRIPTIONS)
    .execute(&mut conn)
    .await?;
    for year in 0..10 {
        sqlx::query(
            "INSERT INTO term (subscription_id, offset_months, starts_on, ends_on, state, since, due_at, deadline_at, act_at)
             SELECT s.id, 12 * $1, date(s.anchor_on, $1 || ' years'), date(s.anchor_on, ($1 + 1) || ' years'), iif($1 < 9, 'renewed', 'scheduled'), t.since,
                    strftime('%Y-%m-%dT%H:%M:%fZ', t.due_at, ($1 - 9) || ' years', (s.id % 150) || ' days'),
                    strftime('%Y-%m-%dT%H:%M:%fZ', t.deadline_at, ($1 - 9) || ' years', (s.id % 150) || ' days'),
                    iif($1 < 9, NULL, strftime('%Y-%m-%dT%H:%M:%fZ', t.due_at, (s.id % 150) || ' days'))
             FROM subscription s, term t WHERE s.id > 1 AND t.id = 1",
        )
        .bind(year)
        .execute(&mut conn)
        .await
        .with_context(|| format!("the terms of year {year}"))?;
    }
    Ok(conn.close().await?)
}
