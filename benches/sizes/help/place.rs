//! A folder with a file and a database, on the disk that cargo builds on, and the binary working in it.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use jiff::civil::Date;
use tempfile::TempDir;

/// The binary that `cargo bench` built.
pub const RENEWD: &str = env!("CARGO_BIN_EXE_renewd");
/// Where measurements write: a disk, where `/tmp` may be memory.
pub const FOLDER: &str = env!("CARGO_TARGET_TMPDIR");
/// Longer than any start takes.
const PATIENCE: Duration = Duration::from_mins(1);

/// A folder of its own, removed afterwards.
pub struct Place(TempDir);

impl Place {
    /// With this `renewals.toml`, and a database bound to the portal that it names.
    pub fn with(file: &str) -> Result<Self> {
        let place = Self(TempDir::new_in(FOLDER)?);
        place.write(file)?;
        place.done(&["init", "--yes"])?;
        Ok(place)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn database(&self) -> PathBuf {
        self.path("renewd.db")
    }

    /// Another `renewals.toml`.
    pub fn write(&self, file: &str) -> Result<()> {
        Ok(std::fs::write(self.path("renewals.toml"), file)?)
    }

    /// `renewd` here.
    pub fn renewd(&self, arguments: &[&str]) -> Command {
        self.command(RENEWD, arguments)
    }

    /// A program that runs `renewd` here.
    pub fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(self.0.path()).stdin(Stdio::null());
        command.env("RENEWD_CLIENT_ID", "sandbox").env("RENEWD_CLIENT_SECRET", "sandbox").env("RENEWD_LOG", "error");
        command
    }

    /// Runs `renewd` to its end; how long that took.
    pub fn done(&self, arguments: &[&str]) -> Result<Duration> {
        let began = Instant::now();
        let output = self.renewd(arguments).output()?;
        let took = began.elapsed();
        well(&output).with_context(|| format!("renewd {}", arguments.join(" ")))?;
        Ok(took)
    }

    /// Starts the daemon; returns it when it says that it is ready, and how long that took.
    pub fn start(&self) -> Result<(Daemon, Duration)> {
        let socket = self.path("notify");
        let _ = std::fs::remove_file(&socket); // of an earlier start
        let manager = UnixDatagram::bind(&socket)?;
        manager.set_read_timeout(Some(PATIENCE))?;
        let began = Instant::now();
        let mut command = self.renewd(&["run"]);
        let daemon = Daemon(command.env("NOTIFY_SOCKET", &socket).stdout(Stdio::null()).spawn()?);
        let mut message = [0; 4096];
        loop {
            let length = manager.recv(&mut message).context("the daemon does not say that it is ready")?;
            if message[..length].starts_with(b"READY=1") {
                return Ok((daemon, began.elapsed()));
            }
        }
    }
}

/// Fails with what it said, unless it ended well.
pub fn well(output: &Output) -> Result<()> {
    if output.status.success() {
        return Ok(());
    }
    bail!("{}: {}", output.status, String::from_utf8_lossy(&output.stderr))
}

/// `renewd run`; killed when it is dropped.
pub struct Daemon(Child);

impl Daemon {
    pub fn id(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill(); // it has ended already
        let _ = self.0.wait();
    }
}

/// A file without entries for the portal at `address`, whose limits nothing reaches.
pub fn file(address: SocketAddr) -> String {
    settled(address, "24 h")
}

/// The same with another settle: after a short one orders are read back at once.
pub fn settled(address: SocketAddr, settle: &str) -> String {
    format!(
        "timezone = \"UTC\"\nnotify = \"none\"\n[portal]\nbase_url = \"http://{address}\"\nsettle = \"{settle}\"\n\
         [limits]\nmax_orders_per_day = 1_000_000\nmax_quantity_per_day = 1_000_000_000\n\
         [defaults]\nproduct = \"rm-premium\"\nservice_id = 3375819276601303040\nbilling_id = 3197218168379846218\n"
    )
}

/// One entry for each customer in `numbers`, all of which expire on `day`.
pub fn entries(numbers: std::ops::Range<u64>, day: Date) -> String {
    numbers.fold(String::new(), |mut text, number| {
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "[[renewal]]\nname = \"customer-{number}\"\npartner_id = {}\nquantity = 10\nexpires_on = {day}\n",
            3_076_915_454_489_739_264 + number
        );
        text
    })
}

/// A day within the lead: what expires then is due now.
pub fn due() -> Date {
    in_days(7)
}

/// A day on which nothing is due for long.
pub fn later() -> Date {
    in_days(200)
}

fn in_days(days: i64) -> Date {
    jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date().saturating_add(jiff::Span::new().days(days))
}
