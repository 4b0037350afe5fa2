//! Opening the database: the right file, the right mode, the right version.
//!
//! Owns the pragmas (asserted on the open connection, not assumed), the migrations and the file's permissions. The instance
//! lock must be held before: sqlx takes none for `SQLite`, and two migrating processes break each other.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection};

use super::nature::{Nature, is_locked};
use super::{Doing, Store, StoreError};

/// The migrations, built in.
pub static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// How a database is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opening {
    /// Made if it is not there; migrated.
    Create,
    /// Must be there; migrated.
    Existing,
    /// Must be there, in the hands of a daemon: a command is queued beside it. Nothing else is written, nothing migrated.
    Beside,
    /// Must be there; nothing is written. No lock is needed.
    ReadOnly,
}

/// Why a database was not opened. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// There is no such file.
    #[error("there is no database at {0}; `renewd init` creates it")]
    Missing(PathBuf),
    /// It could not be created with its permissions.
    #[error("cannot create {path}: {source}; check the folder and its owner")]
    Create {
        /// The database file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// This user may not read it.
    #[error("{path} may not be read by this user ({source}); its owner may, and members of its group")]
    Denied {
        /// The database file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// An older renewd wrote it, and a reader changes nothing.
    #[error("{path} was last used by an older renewd; it is brought up to date when the daemon starts")]
    Older {
        /// The database file.
        path: PathBuf,
    },
    /// `SQLite` cannot read it.
    #[error("cannot open {path}: {source}; if the file is damaged, restore a backup with `renewd restore FILE`")]
    Unreadable {
        /// The database file.
        path: PathBuf,
        /// What `SQLite` said.
        source: sqlx::Error,
    },
    /// Another program holds it.
    #[error(
        "{path} is locked by another program ({source}); end that program's transaction, or the program; renewd itself holds no lock for longer than a moment"
    )]
    Locked {
        /// The database file.
        path: PathBuf,
        /// What `SQLite` said.
        source: sqlx::Error,
    },
    /// Its pages do not fit together.
    #[error(
        "{path} is damaged: {what}; nothing is ordered from it. Keep the file, and restore a backup with `renewd restore FILE`"
    )]
    Damaged {
        /// The database file.
        path: PathBuf,
        /// What `PRAGMA integrity_check` found first.
        what: String,
    },
    /// A newer renewd has migrated it.
    #[error("{path} was written by a newer renewd (migration {version}); install that version, or restore an older backup")]
    Newer {
        /// The database file.
        path: PathBuf,
        /// The unknown migration.
        version: i64,
    },
    /// A migration was edited after it had been applied.
    #[error("{path}: migration {version} is not the one that was applied; use an unmodified renewd")]
    Edited {
        /// The database file.
        path: PathBuf,
        /// The migration.
        version: i64,
    },
    /// A migration failed; its transaction was rolled back.
    #[error("cannot migrate {path}: {source}")]
    Migrate {
        /// The database file.
        path: PathBuf,
        /// What failed.
        source: Box<MigrateError>,
    },
    /// A pragma did not take.
    #[error("{path} does not keep its promises: {what}; is it on a network file system?")]
    Unsafe {
        /// The database file.
        path: PathBuf,
        /// Which pragma.
        what: String,
    },
    /// It has several names.
    #[error(transparent)]
    Linked(#[from] super::links::Linked),
    /// A read failed after opening.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Store {
    /// Opens `path`. For anything but [`Opening::ReadOnly`] the instance lock must be held.
    pub async fn open(path: &Path, opening: Opening) -> Result<Self, OpenError> {
        match opening {
            Opening::Create => create_private(path)?,
            _ => look(path)?,
        }
        if opening != Opening::ReadOnly {
            super::links::refuse_several(path)?;
        }
        let conn = connect(path, opening).await?;
        let mut store = Self { conn, path: path.to_owned(), opening };
        if matches!(opening, Opening::ReadOnly | Opening::Beside) {
            store.refuse_other_versions(path).await?;
        } else {
            store.migrate(path).await?;
            store.assert_durable(path).await?;
        }
        Ok(store)
    }

    /// A connection anew, to the same file. After a failed write (a full disk) `SQLite` has rolled back by itself, and sqlx still counts
    /// the transaction: it would refuse every later one. The old connection stays where a new one is not to be had.
    pub async fn reconnect(&mut self) -> Result<(), OpenError> {
        let path = self.path.clone();
        // Not opened to look at: closing it would drop every lock that this process has on it (sqlite.org/howtocorrupt.html, 2.2), and
        // another program that ends would then delete the journal under our feet.
        if !path.exists() {
            return Err(OpenError::Missing(path));
        }
        let conn = connect(&path, self.opening).await?;
        let old = std::mem::replace(&mut self.conn, conn);
        if let Err(error) = old.close().await {
            tracing::debug!(%error, "a connection that failed did not close well either");
        }
        self.assert_durable(&path).await
    }

    async fn migrate(&mut self, path: &Path) -> Result<(), OpenError> {
        self.refuse_newer(path).await?;
        MIGRATIONS.run(&mut self.conn).await.map_err(|error| match error {
            MigrateError::VersionMismatch(version) => OpenError::Edited { path: path.to_owned(), version },
            MigrateError::VersionMissing(version) => OpenError::Newer { path: path.to_owned(), version },
            MigrateError::Execute(source) => unreadable(path, source),
            other => OpenError::Migrate { path: path.to_owned(), source: Box::new(other) },
        })
    }

    /// sqlx says only "missing" for a newer database; people need to know what to do about it.
    async fn refuse_newer(&mut self, path: &Path) -> Result<(), OpenError> {
        match self.newest_migration(path).await? {
            Some(version) if Some(version) > ours() => Err(OpenError::Newer { path: path.to_owned(), version }),
            _ => Ok(()),
        }
    }

    /// A reader migrates nothing, so it needs exactly the version that it was built for.
    async fn refuse_other_versions(&mut self, path: &Path) -> Result<(), OpenError> {
        self.refuse_newer(path).await?;
        match self.newest_migration(path).await? {
            None => Err(OpenError::Missing(path.to_owned())), // an empty file, or one of another program
            newest if newest == ours() => Ok(()),
            _ => Err(OpenError::Older { path: path.to_owned() }),
        }
    }

    async fn newest_migration(&mut self, path: &Path) -> Result<Option<i64>, OpenError> {
        let unreadable = |source| unreadable(path, source);
        let known: Option<i64> = sqlx::query_scalar("SELECT 1 FROM sqlite_schema WHERE name = '_sqlx_migrations'")
            .fetch_optional(&mut self.conn)
            .await
            .map_err(unreadable)?;
        if known.is_none() {
            return Ok(None);
        }
        sqlx::query_scalar("SELECT max(version) FROM _sqlx_migrations").fetch_one(&mut self.conn).await.map_err(unreadable)
    }

    /// The promise rests on these; a file system or a build without them must not spend money.
    pub(super) async fn assert_durable(&mut self, path: &Path) -> Result<(), OpenError> {
        let journal: String = self.pragma("PRAGMA journal_mode").await?;
        let synchronous: i64 = self.pragma("PRAGMA synchronous").await?;
        let foreign_keys: i64 = self.pragma("PRAGMA foreign_keys").await?;
        if journal == "wal" && synchronous == 2 && foreign_keys == 1 {
            return Ok(());
        }
        let what = format!("journal_mode={journal} synchronous={synchronous} foreign_keys={foreign_keys}, not wal, 2 and 1");
        Err(OpenError::Unsafe { path: path.to_owned(), what })
    }

    async fn pragma<T>(&mut self, pragma: &'static str) -> Result<T, StoreError>
    where
        T: for<'r> sqlx::Decode<'r, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite> + Send + Unpin,
    {
        sqlx::query_scalar(pragma).fetch_one(&mut self.conn).await.doing("reading a pragma")
    }

    /// The last act of a clean stop: without it, a reader without write permission cannot open a WAL database whose side
    /// files are gone (DESIGN.md section 4). Not an error when a reader is still connected; the side files then stay.
    pub async fn close(mut self) -> Result<(), StoreError> {
        let mode: Result<String, _> = sqlx::query_scalar("PRAGMA journal_mode = DELETE").fetch_one(&mut self.conn).await;
        if let Err(error) = mode {
            tracing::debug!(%error, "the database stays in WAL mode: someone is reading it");
        }
        self.conn.close().await.doing("closing")
    }
}

async fn connect(path: &Path, opening: Opening) -> Result<SqliteConnection, OpenError> {
    #[cfg_attr(not(test), expect(unused_mut, reason = "the simulation watches it"))]
    let mut conn = options(path, opening).connect().await.map_err(|source| unreadable(path, source))?;
    #[cfg(test)]
    crate::simulation::crash::watch(&mut conn).await;
    Ok(conn)
}

/// A lock passes; anything else is for a person.
fn unreadable(path: &Path, source: sqlx::Error) -> OpenError {
    if is_locked(&source) {
        return OpenError::Locked { path: path.to_owned(), source };
    }
    OpenError::Unreadable { path: path.to_owned(), source }
}

/// The newest migration that is built in.
fn ours() -> Option<i64> {
    MIGRATIONS.iter().map(|migration| migration.version).max()
}

/// What `SQLite` would report without a reason that helps: the file is not there, or not for this user.
fn look(path: &Path) -> Result<(), OpenError> {
    match File::open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::NotFound => Err(OpenError::Missing(path.to_owned())),
        Err(source) => Err(OpenError::Denied { path: path.to_owned(), source }),
    }
}

fn options(path: &Path, opening: Opening) -> SqliteConnectOptions {
    // All statements of the daemon, about 160: a cache of 100, as it comes, compiles some of them over and over.
    let options = SqliteConnectOptions::new()
        .filename(path)
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(5))
        .statement_cache_capacity(256);
    if opening == Opening::ReadOnly {
        return options.read_only(true);
    }
    if opening == Opening::Beside {
        return options.synchronous(SqliteSynchronous::Full);
    }
    options.journal_mode(SqliteJournalMode::Wal).synchronous(SqliteSynchronous::Full).pragma("trusted_schema", "OFF")
}

/// Opens `path` for writing; a new file is 0640 whatever the umask: the owner writes, the group reads, nobody else does either.
pub(crate) fn private_file(path: &Path) -> io::Result<File> {
    let open = |options: &mut OpenOptions| options.read(true).write(true).mode(0o640).open(path);
    match open(OpenOptions::new().create_new(true)) {
        Ok(file) => file.set_permissions(Permissions::from_mode(0o640)).map(|()| file),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => open(&mut OpenOptions::new()),
        Err(error) => Err(error),
    }
}

/// `SQLite` gives its side files the mode of the database.
fn create_private(path: &Path) -> Result<(), OpenError> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(|source| OpenError::Create { path: path.to_owned(), source })?;
    }
    private_file(path).map(drop).map_err(|source| OpenError::Create { path: path.to_owned(), source })
}

impl Store {
    /// A consistent copy, also while a daemon writes. `to` must not exist.
    pub async fn backup(&mut self, to: &Path) -> Result<(), StoreError> {
        sqlx::query("VACUUM INTO $1")
            .bind(to.to_string_lossy().into_owned())
            .execute(&mut self.conn)
            .await
            .doing("copying the database")?;
        Ok(())
    }

    /// Refuses a damaged file before anything is concluded from it: an index that does not fit its table hides an order that was placed.
    pub async fn assert_whole(&mut self, path: &Path) -> Result<(), OpenError> {
        let found: Result<String, StoreError> = self.pragma("PRAGMA integrity_check(1)").await;
        let what = match found {
            Ok(found) if found == "ok" => return Ok(()),
            Ok(found) => found,
            Err(error) if error.nature() == Nature::Lasting => error.to_string(),
            Err(error) => return Err(error.into()),
        };
        Err(OpenError::Damaged { path: path.to_owned(), what })
    }

    /// What `PRAGMA integrity_check` finds wrong; `ok` if nothing.
    pub async fn integrity(&mut self) -> Result<String, StoreError> {
        self.pragma("PRAGMA integrity_check").await
    }
}
