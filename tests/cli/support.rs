//! What every test of the binary needs: a folder with a file, a portal, a daemon, the database, and waiting without luck.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use sqlx::{Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};
use tempfile::TempDir;

pub const RENEWD: &str = env!("CARGO_BIN_EXE_renewd");
/// The file that is shipped.
pub const EXAMPLE: &str = include_str!("../../renewals.toml");
/// Longer than anything here takes on a busy machine; reached only by a test that fails.
const PATIENCE: Duration = Duration::from_secs(30);

/// A start waits for a file that was written a moment ago to stand still; what a test has prepared does.
pub fn written_long_ago(path: &Path) {
    let long_ago = std::time::SystemTime::now() - Duration::from_mins(1);
    File::options().write(true).open(path).unwrap().set_modified(long_ago).unwrap();
}

/// Waits until `done`, or fails naming `what`.
pub fn until<T>(what: &str, mut done: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(value) = done() {
            return value;
        }
        assert!(began.elapsed() < PATIENCE, "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A day from today on, as the file writes it. Tests that order use a date within the lead, so that it is due now.
pub fn in_days(days: i64) -> String {
    let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
    today.checked_add(jiff::Span::new().days(days)).unwrap().to_string()
}

/// A file for the portal at `address`: a bell that never rings, and these entries.
pub fn file(address: &str, entries: &str) -> String {
    format!(
        "timezone = \"UTC\"\nnotify = \"none\"\n[portal]\nbase_url = \"http://{address}\"\n[schedule]\ncheck = \"0 0 0 29 2 *\"\n\
         [defaults]\nproduct = \"rm-premium\"\nservice_id = 3375819276601303040\nbilling_id = 3197218168379846218\n{entries}"
    )
}

/// An entry that is due now.
pub fn due(name: &str, partner: &str, quantity: u32) -> String {
    entry(name, partner, quantity, 7)
}

/// An entry that expires in so many days; its lead is 14.
pub fn entry(name: &str, partner: &str, quantity: u32, days: i64) -> String {
    let expires = in_days(days);
    format!("[[renewal]]\nname = \"{name}\"\npartner_id = \"{partner}\"\nquantity = {quantity}\nexpires_on = {expires}\n")
}

/// A folder with a `renewals.toml`.
pub struct Place {
    folder: TempDir,
    credentials: (String, String),
}

impl Place {
    pub fn with(file: &str) -> Self {
        let place = Self { folder: tempfile::tempdir().unwrap(), credentials: ("sandbox".into(), "sandbox".into()) };
        place.write(file);
        place
    }

    /// The same with other credentials in the environment.
    pub fn with_credentials(mut self, id: &str, secret: &str) -> Self {
        self.credentials = (id.into(), secret.into());
        self
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn database(&self) -> PathBuf {
        self.path("renewd.db")
    }

    /// Puts another file in place as editors do: written beside it, then renamed over it.
    pub fn write(&self, file: &str) {
        fs::write(self.path("renewals.toml.new"), file).unwrap();
        written_long_ago(&self.path("renewals.toml.new"));
        fs::rename(self.path("renewals.toml.new"), self.path("renewals.toml")).unwrap();
    }

    /// `renewd` in this folder, with nothing of the environment that could change what it does.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(RENEWD);
        command.args(arguments).current_dir(self.folder.path()).stdin(Stdio::null());
        for (name, _) in std::env::vars_os().filter(|(name, _)| ours(&name.to_string_lossy())) {
            command.env_remove(name);
        }
        command.env("RENEWD_CLIENT_ID", &self.credentials.0).env("RENEWD_CLIENT_SECRET", &self.credentials.1);
        command.env("RENEWD_CLOCK", self.path("clock"));
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Ran {
        Ran::of(&self.command(arguments).output().unwrap())
    }

    /// A database for the portal that the file names.
    pub fn init(self) -> Self {
        self.run(&["init", "--yes"]).ended(0);
        self
    }

    /// Starts the daemon and waits until it is ready and has looked once: what was due is ordered.
    pub fn daemon(&self) -> Daemon {
        let daemon = self.daemon_starting(&["run"]);
        daemon.says("looked for the first time");
        daemon
    }

    pub fn daemon_starting(&self, arguments: &[&str]) -> Daemon {
        Daemon::of(self.command(arguments))
    }

    /// One value of the database, read as anyone with `sqlite3 -readonly` would.
    pub fn value(&self, query: &str) -> Value {
        value(&self.database(), query).unwrap()
    }

    /// Every row of `query` as an array.
    pub fn rows(&self, columns: &str, from: &str) -> Vec<Value> {
        rows(&self.database(), columns, from)
    }

    /// The states of the attempts, oldest first.
    pub fn attempts(&self) -> Vec<Value> {
        self.rows("state", "attempt")
    }
}

fn ours(name: &str) -> bool {
    name.starts_with("RENEWD_")
        || ["NOTIFY_SOCKET", "WATCHDOG_USEC", "CREDENTIALS_DIRECTORY", "NO_COLOR", "CLICOLOR_FORCE", "COLUMNS"].contains(&name)
}

/// `query` must give one text, number or NULL.
pub fn value(database: &Path, query: &str) -> Result<Value, sqlx::Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let options = SqliteConnectOptions::new().filename(database).read_only(true).busy_timeout(PATIENCE);
        let mut reader = SqliteConnection::connect_with(&options).await?;
        let wrapped = format!("SELECT json_array(({query}))");
        let text: String = sqlx::query_scalar(sqlx::AssertSqlSafe(wrapped)).fetch_one(&mut reader).await?;
        reader.close().await?;
        Ok(serde_json::from_str::<Vec<Value>>(&text).unwrap().remove(0))
    })
}

/// Changes a database that nobody works on.
pub fn change(database: &Path, statement: &'static str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut writer = SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(database)).await.unwrap();
        sqlx::query(statement).execute(&mut writer).await.unwrap();
        writer.close().await.unwrap();
    });
}

/// Rows of one column as values, of several as arrays.
pub fn rows(database: &Path, columns: &str, from: &str) -> Vec<Value> {
    let all = value(database, &format!("SELECT json_group_array(json_array({columns})) FROM {from}")).unwrap();
    let Value::Array(rows) = all else { panic!("{all} is no list of rows") };
    let single = |row: Value| if row.as_array().unwrap().len() == 1 { row[0].clone() } else { row };
    rows.into_iter().map(single).collect()
}

/// A command that has ended.
pub struct Ran {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Ran {
    pub fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        Self { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
    }

    /// Fails unless it ended with this code; shows what it said.
    pub fn ended(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}\n{}", self.out, self.err);
        self
    }

    /// Fails unless its standard error has each of `words`.
    pub fn explained(&self, words: &[&str]) {
        for word in words {
            assert!(self.err.contains(word), "{word:?} is not in:\n{}", self.err);
        }
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error} in:\n{}", self.out))
    }
}

/// `renewd run` in the background; killed when it is dropped.
pub struct Daemon {
    pub child: Child,
    log: tempfile::NamedTempFile,
}

impl Daemon {
    /// Any command that becomes `renewd run`.
    pub fn of(mut command: Command) -> Self {
        let log = tempfile::NamedTempFile::new().unwrap();
        command.stdout(log.reopen().unwrap()).stderr(File::options().append(true).open(log.path()).unwrap());
        Self { child: command.spawn().unwrap(), log }
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.log.path()).unwrap()
    }

    /// Waits until the log has `words`.
    pub fn says(&self, words: &str) {
        let began = Instant::now();
        while !self.log().contains(words) {
            assert!(began.elapsed() < PATIENCE, "waited in vain for {words:?} in:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    pub fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    }

    /// Waits for its end; how long that took.
    pub fn ended(&mut self) -> (ExitStatus, Duration) {
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            if let Some(status) = self.child.try_wait().unwrap() {
                return (status, began.elapsed());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("it does not end:\n{}", self.log())
    }

    /// Asks it to leave and waits for that.
    pub fn stop(mut self) {
        self.signal("TERM");
        let (status, _) = self.ended();
        assert!(status.success(), "{}", self.log());
    }

    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `renewd sandbox` on a free port; killed when it is dropped.
pub struct Portal {
    child: Child,
    /// Kept open: a program whose reader has gone away ends.
    _words: BufReader<ChildStdout>,
    pub address: String,
}

impl Portal {
    pub fn start() -> Self {
        Self::with(&[])
    }

    pub fn with(arguments: &[&str]) -> Self {
        let empty = tempfile::tempdir().unwrap(); // without a file beside it, every id is known to the portal
        let mut command = Command::new(RENEWD);
        command.args(["sandbox", "--port", "0"]).args(arguments).current_dir(empty.path());
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut first = String::new();
        let mut words = BufReader::new(child.stdout.take().unwrap());
        words.read_line(&mut first).unwrap();
        let address = first.split("http://").nth(1).expect("its address").split(';').next().unwrap().to_owned();
        Self { child, _words: words, address }
    }

    /// A folder with these entries, bound to this portal.
    pub fn place(&self, entries: &str) -> Place {
        Place::with(&file(&self.address, entries)).init()
    }

    pub fn fault(&self, text: &str) {
        self.http("POST", "faults", text);
    }

    /// An order that somebody else places.
    pub fn foreign_order(&self, body: &str) {
        self.http("POST", "orders", body);
    }

    /// From now on this order stands so in the portal.
    pub fn set_status(&self, order: &str, status: &str) {
        self.http("POST", &format!("orders/{order}/status"), status);
    }

    /// The ledger.
    pub fn orders(&self) -> Vec<Value> {
        serde_json::from_str(&self.http("GET", "orders", "")).unwrap()
    }

    /// How often each endpoint was called.
    pub fn calls(&self, endpoint: &str) -> u64 {
        let calls: BTreeMap<String, u64> = serde_json::from_str(&self.http("GET", "calls", "")).unwrap();
        calls[endpoint]
    }

    fn http(&self, method: &str, path: &str, body: &str) -> String {
        let mut socket = TcpStream::connect(&self.address).unwrap();
        let length = body.len();
        let head = format!(
            "{method} /_sandbox/{path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n",
            self.address
        );
        socket.write_all((head + body).as_bytes()).unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200"), "{answer}");
        body.to_owned()
    }
}

impl Drop for Portal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
