//! The heartbeat: one tokio-cron-scheduler job, in UTC, that rings a bell.
//!
//! Owns nothing else. The scheduler stops for ever after some suspends, loses jobs and never awaits one, so it says only "look at the
//! database", and the daemon also looks at least every 60 s by itself.

use std::sync::Arc;

use tokio::sync::Notify;
use tokio_cron_scheduler::{Job, JobScheduler, JobSchedulerError};

/// Rings `wake` by the cron expression `pattern` (six fields, UTC), until the scheduler is dropped.
pub async fn hang(pattern: &str, wake: Arc<Notify>) -> Result<JobScheduler, JobSchedulerError> {
    let scheduler = JobScheduler::new().await?;
    let job = Job::new_async(pattern, move |_, _| {
        let wake = Arc::clone(&wake);
        Box::pin(async move { wake.notify_one() })
    })?;
    scheduler.add(job).await?;
    scheduler.start().await?;
    Ok(scheduler)
}
