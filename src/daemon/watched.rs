//! Noticing that `renewals.toml` changed, however an editor saves it.
//!
//! Owns looking at the file by its path, links followed, and how long a write in place is waited for. No watch of the system's is relied on: there
//! may be none to be had, and one sees neither the target of a link, nor another link to the file, nor a folder that was swapped.

use std::fs::Metadata;
use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long a file that is written in place must stand still before it is read: an editor may be in the middle of it.
const QUIET: Duration = Duration::from_secs(2);
/// The same for one whose last line does not end: it may have been cut within a number.
const QUIET_WITHIN_A_LINE: Duration = Duration::from_secs(10);
/// One that is touched for ever, and says the same all the time, is read all the same.
const LONGEST: Duration = Duration::from_mins(1);

/// What tells one state of a file from another (stat(2)); none while there is no file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Print {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Print {
    fn of(path: &Path) -> Option<Self> {
        let read = |file: Metadata| Self {
            device: file.dev(),
            inode: file.ino(),
            size: file.size(),
            modified: (file.mtime(), file.mtime_nsec()),
            changed: (file.ctime(), file.ctime_nsec()),
        };
        std::fs::metadata(path).ok().map(read)
    }

    fn is_same_file(self, other: Self) -> bool {
        (self.device, self.inode) == (other.device, other.inode)
    }
}

/// The file as it was last read, and the edit that is being waited for.
#[derive(Debug)]
pub struct Watched {
    path: PathBuf,
    read: Option<Print>,
    /// What it held then, once it is known that it has not changed since.
    held: Option<u64>,
    edit: Option<Edit>,
}

#[derive(Debug, Clone, Copy)]
struct Edit {
    print: Option<Print>,
    still_since: Instant,
    began: Instant,
    /// What the file held then, as a hash.
    holds: Option<u64>,
}

impl Watched {
    /// From now on; to be made before the file is read. One that was written a moment ago may be half of a file: it counts as edited, so that it is
    /// read again before anything is ordered by it.
    pub fn new(path: &Path) -> Self {
        let read = Print::of(path).map(|print| if is_fresh(path) { Print { size: u64::MAX, ..print } } else { print });
        Self { path: path.to_owned(), read, held: None, edit: None }
    }

    /// Whether the file is another one than was last read. Then nothing is ordered before it was read. One that was saved again as it was is no
    /// other.
    pub fn is_edited(&self) -> bool {
        Print::of(&self.path) != self.read && !self.says_the_same()
    }

    fn says_the_same(&self) -> bool {
        self.held.is_some() && held_by(&self.path) == self.held
    }

    /// Whether it was edited, and the edit can be read: put in place whole, or written in place and still for a while.
    pub fn is_ready(&mut self) -> bool {
        let now = Instant::now();
        let print = Print::of(&self.path);
        if print == self.read {
            self.edit = None;
            self.remember();
            return false;
        }
        if self.says_the_same() && Print::of(&self.path) == print {
            (self.read, self.edit) = (print, None);
            return false;
        }
        let put_in_place = print.is_some_and(|new| self.read.is_none_or(|old| !new.is_same_file(old)));
        if put_in_place {
            return true;
        }
        let begun = self.edit.get_or_insert_with(|| Edit { print, still_since: now, began: now, holds: held_by(&self.path) });
        if begun.print != print {
            (begun.print, begun.still_since) = (print, now);
        }
        if now - begun.began >= LONGEST {
            let (before, holds) = (begun.holds, held_by(&self.path));
            (begun.began, begun.holds) = (now, holds);
            return holds == before;
        }
        now - begun.still_since >= quiet(&self.path)
    }

    /// The file is read now; to be called before it is.
    pub fn is_read(&mut self) {
        (self.read, self.held, self.edit) = (Print::of(&self.path), None, None);
    }

    /// What it holds is what was read, if it is still the same file afterwards.
    fn remember(&mut self) {
        if self.held.is_none() {
            let holds = held_by(&self.path);
            self.held = holds.filter(|_| Print::of(&self.path) == self.read);
        }
    }
}

/// What it holds; nothing where it is no file: a pipe would be waited for.
fn contents(path: &Path) -> Option<Vec<u8>> {
    let is_file = std::fs::metadata(path).is_ok_and(|it| it.is_file());
    is_file.then(|| std::fs::read(path).ok()).flatten()
}

fn quiet(path: &Path) -> Duration {
    let whole_lines = contents(path).is_some_and(|bytes| bytes.is_empty() || bytes.ends_with(b"\n"));
    if whole_lines { QUIET } else { QUIET_WITHIN_A_LINE }
}

/// Whether it was written so short a time ago that more may come; also where its time lies ahead.
fn is_fresh(path: &Path) -> bool {
    let written = std::fs::metadata(path).and_then(|file| file.modified());
    written.is_ok_and(|at| at.elapsed().map_or(true, |ago| ago < quiet(path)))
}

fn held_by(path: &Path) -> Option<u64> {
    contents(path).map(|bytes| BuildHasherDefault::<DefaultHasher>::default().hash_one(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("renewals.toml");
        std::fs::write(&path, text).unwrap();
        let long_ago = std::time::SystemTime::now() - LONGEST;
        std::fs::File::options().write(true).open(&path).unwrap().set_modified(long_ago).unwrap();
        (folder, path)
    }

    /// An edit behind a link, in another folder, through another link or of the whole folder was never noticed, and the old file ordered on.
    #[test]
    fn an_edit_is_noticed_whichever_way_it_comes() {
        let (folder, path) = file("a\n");
        let (target, link) = (folder.path().join("target"), folder.path().join("link"));
        std::fs::rename(&path, &target).unwrap();
        std::os::unix::fs::symlink(&target, &link).unwrap();
        let (other, swapped) = (folder.path().join("other"), folder.path().join("swapped"));
        std::fs::hard_link(&target, &other).unwrap();
        let edits: [&dyn Fn(); 4] = [
            &|| std::fs::write(&target, "longer than before\n").unwrap(),
            &|| std::fs::write(&other, "through the other link, and longer\n").unwrap(),
            &|| {
                std::fs::write(&swapped, "b\n").unwrap();
                std::fs::remove_file(&link).unwrap();
                std::os::unix::fs::symlink(&swapped, &link).unwrap();
            },
            &|| std::fs::remove_file(&swapped).unwrap(),
        ];
        let mut watched = Watched::new(&link);
        for edit in edits {
            assert!(!watched.is_edited() && !watched.is_ready());
            edit();
            assert!(watched.is_edited());
            watched.is_read();
            assert!(!watched.is_edited());
        }
    }

    /// Half of a file that was being written was taken: `approval = "manual"` stood in the other half, and `quantity = 120` was 12.
    #[test]
    fn what_is_written_in_place_is_read_once_it_stands_still_and_what_is_put_in_place_at_once() {
        let (folder, path) = file("quantity = 1\n");
        let mut watched = Watched::new(&path);
        std::fs::write(&path, "quantity = 12").unwrap();
        assert!(watched.is_edited() && !watched.is_ready(), "it may go on");
        let still = |watched: &mut Watched, for_so_long: Duration| {
            watched.edit.as_mut().unwrap().still_since = Instant::now().checked_sub(for_so_long).unwrap();
        };
        still(&mut watched, QUIET);
        assert!(!watched.is_ready(), "its last line does not end");
        still(&mut watched, QUIET_WITHIN_A_LINE);
        assert!(watched.is_ready());
        std::fs::write(&path, "quantity = 120\n").unwrap();
        assert!(!watched.is_ready(), "it has changed meanwhile");
        still(&mut watched, QUIET);
        assert!(watched.is_ready());

        let new = folder.path().join("new");
        std::fs::write(&new, "quantity = 7").unwrap();
        std::fs::rename(&new, &path).unwrap();
        let mut watched = Watched { edit: None, ..watched };
        assert!(watched.is_ready(), "put in place whole");
    }

    /// A loop that saved the file as it was every few seconds kept every order from going out.
    #[test]
    fn a_file_that_is_saved_again_as_it_was_is_not_edited() {
        let (_folder, path) = file("quantity = 1\n");
        let mut watched = Watched::new(&path);
        assert!(!watched.is_ready());
        std::fs::write(&path, "quantity = 1\n").unwrap();
        assert!(!watched.is_edited() && !watched.is_ready());
        let new = path.with_extension("new");
        std::fs::write(&new, "quantity = 1\n").unwrap();
        std::fs::rename(&new, &path).unwrap();
        assert!(!watched.is_edited() && !watched.is_ready());
        std::fs::write(&path, "quantity = 2\n").unwrap();
        assert!(watched.is_edited());
        watched.is_read();
        assert!(!watched.is_ready());
        std::fs::remove_file(&path).unwrap();
        assert!(watched.is_edited(), "one that is gone is no file as it was");
    }

    /// A start in the middle of a save took what stood there, and ordered by it; `touch` in a loop must not keep everything waiting.
    #[test]
    fn a_file_that_was_written_a_moment_ago_is_read_again_and_one_that_only_changes_its_time_is_read() {
        let (_folder, path) = file("quantity = 1\n");
        std::fs::write(&path, "quantity = 10\n").unwrap();
        let mut watched = Watched::new(&path);
        assert!(watched.is_edited() && !watched.is_ready());
        let began_long_ago =
            |watched: &mut Watched| watched.edit.as_mut().unwrap().began = Instant::now().checked_sub(LONGEST).unwrap();
        began_long_ago(&mut watched);
        assert!(watched.is_ready(), "it says the same all the time");
        watched.is_read();
        std::fs::write(&path, "quantity = 1").unwrap();
        assert!(!watched.is_ready());
        std::fs::write(&path, "quantity = 100").unwrap();
        began_long_ago(&mut watched);
        assert!(!watched.is_ready(), "it is being written");
    }
}
