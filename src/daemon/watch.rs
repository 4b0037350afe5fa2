//! Noticing that `renewals.toml` changed, also when an editor replaces it.
//!
//! Watches the folder: a watch on the file itself sees the first replacement and nothing after it.

use std::path::Path;
use std::sync::Arc;

use notify::{RecursiveMode, Watcher};
use tokio::sync::Notify;

/// Rings `changed` whenever something happens to `file`, until the watcher is dropped.
pub fn watch(file: &Path, changed: Arc<Notify>) -> notify::Result<notify::RecommendedWatcher> {
    let name = file.file_name().map(ToOwned::to_owned);
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        let ours =
            |event: notify::Event| !event.kind.is_access() && event.paths.iter().any(|path| path.file_name() == name.as_deref());
        if event.is_ok_and(ours) {
            changed.notify_one();
        }
    })?;
    watcher.watch(folder, RecursiveMode::NonRecursive)?;
    Ok(watcher)
}
