//! Where the client id and secret come from: systemd, files, or the environment. Never from `renewals.toml`.
//!
//! Owns the order of looking and the refusal of doubtful sources. No error shows any part of a value.

use std::ffi::OsString;
use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use secrecy::SecretString;
use zeroize::Zeroizing;

use super::shown::harmless;
use crate::portal::credentials::Credentials;

/// Larger than any credential.
const MAX_BYTES: u64 = 16 * 1024;
/// Anyone but the owner.
const OTHERS: u32 = 0o077;

/// One half of the credentials and the names under which it may be given.
#[derive(Debug)]
struct Half {
    what: &'static str,
    systemd: &'static str,
    file: &'static str,
    variable: &'static str,
}

const CLIENT_ID: Half =
    Half { what: "client id", systemd: "portal-client-id", file: "RENEWD_CLIENT_ID_FILE", variable: "RENEWD_CLIENT_ID" };
const CLIENT_SECRET: Half = Half {
    what: "client secret",
    systemd: "portal-client-secret",
    file: "RENEWD_CLIENT_SECRET_FILE",
    variable: "RENEWD_CLIENT_SECRET",
};

/// Why there are no credentials.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {
    /// Neither half is given anywhere.
    #[error(
        "no portal credentials: give them as the systemd credentials portal-client-id and portal-client-secret, as files named \
         by RENEWD_CLIENT_ID_FILE and RENEWD_CLIENT_SECRET_FILE, or as RENEWD_CLIENT_ID and RENEWD_CLIENT_SECRET; where renewd is \
         installed as a service they lie in /etc/credstore, and commands get them by: sudo renewd-as-service COMMAND"
    )]
    None,
    /// Only the other half is given.
    #[error(
        "the {what} is missing, the other half is there; give it as the systemd credential {systemd}, by {file} or by {variable}"
    )]
    Half {
        /// The missing half.
        what: &'static str,
        /// The name of its systemd credential.
        systemd: &'static str,
        /// The variable that names its file.
        file: &'static str,
        /// The variable that holds it.
        variable: &'static str,
    },
    /// Given twice: which one is meant, nobody knows, and one may be another account's.
    #[error("the {what} is given twice, by {first} and by {second}; keep one of them")]
    Twice {
        /// The half.
        what: &'static str,
        /// Where it was found first.
        first: String,
        /// Where it was found again.
        second: String,
    },
    /// Given, and empty.
    #[error("the {what} from {origin} is empty")]
    Empty {
        /// The half.
        what: &'static str,
        /// Where it came from.
        origin: String,
    },
    /// Given, and no credential.
    #[error(
        "the {what} from {origin} contains a space, a line break or another character that no credential has; is it the right one, alone?"
    )]
    Malformed {
        /// The half.
        what: &'static str,
        /// Where it came from.
        origin: String,
    },
    /// Its file cannot be read.
    #[error("the {what} cannot be read from {origin}: {cause}")]
    Unreadable {
        /// The half.
        what: &'static str,
        /// Where it should come from.
        origin: String,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
    /// Its file is open to other users.
    #[error("{path:?} holds the {what} and other users may read it; run: chmod 600 {path:?}")]
    Exposed {
        /// The half.
        what: &'static str,
        /// The file.
        path: PathBuf,
    },
}

/// Loads both halves, each from the one place that gives it: below `$CREDENTIALS_DIRECTORY`, a file named by a variable, or the
/// variable itself.
pub fn load(env: &impl Fn(&str) -> Option<OsString>) -> Result<Credentials, CredentialsError> {
    match (half(env, &CLIENT_ID)?, half(env, &CLIENT_SECRET)?) {
        (Some(client_id), Some(client_secret)) => Ok(Credentials { client_id, client_secret }),
        (None, None) => Err(CredentialsError::None),
        (None, Some(_)) => Err(missing(&CLIENT_ID)),
        (Some(_), None) => Err(missing(&CLIENT_SECRET)),
    }
}

/// What a person does whose credentials are refused, by where they come from. Files are read again; systemd's copies and the environment
/// stay what they were when the process began.
pub fn help(env: &impl Fn(&str) -> Option<OsString>) -> String {
    let by_systemd =
        |half: &Half| env("CREDENTIALS_DIRECTORY").is_some_and(|folder| Path::new(&folder).join(half.systemd).exists());
    let by_file = |half: &Half| env(half.file).is_some();
    if [CLIENT_ID, CLIENT_SECRET].iter().any(by_systemd) {
        return "put the right client id and secret into /etc/credstore (docs/systemd.md), then: systemctl restart renewd"
            .to_owned();
    }
    if [CLIENT_ID, CLIENT_SECRET].iter().all(by_file) {
        return format!(
            "put the right client id and secret into the files that {} and {} name; they are read again by themselves, and \
             `renewd check --online` tries them",
            CLIENT_ID.file, CLIENT_SECRET.file
        );
    }
    format!(
        "put the right client id and secret into {} and {} of the daemon's environment, then start it again: systemctl restart renewd",
        CLIENT_ID.variable, CLIENT_SECRET.variable
    )
}

fn missing(half: &Half) -> CredentialsError {
    CredentialsError::Half { what: half.what, systemd: half.systemd, file: half.file, variable: half.variable }
}

/// One place that gives a half.
enum Source {
    /// A file that systemd put there; it guards it.
    Systemd(PathBuf),
    /// A file that a person put there.
    File(PathBuf, &'static str),
    /// The environment.
    Variable(OsString, &'static str),
}

impl Source {
    fn name(&self) -> String {
        match self {
            Self::Systemd(path) => format!("the systemd credential {}", harmless(&path.to_string_lossy())),
            Self::File(path, variable) => format!("{variable} ({})", harmless(&path.to_string_lossy())),
            Self::Variable(_, variable) => (*variable).to_owned(),
        }
    }
}

fn half(env: &impl Fn(&str) -> Option<OsString>, half: &Half) -> Result<Option<SecretString>, CredentialsError> {
    let systemd = env("CREDENTIALS_DIRECTORY").map(|folder| Path::new(&folder).join(half.systemd)).filter(|path| path.exists());
    let sources = [
        systemd.map(Source::Systemd),
        env(half.file).map(|path| Source::File(path.into(), half.file)),
        env(half.variable).map(|value| Source::Variable(value, half.variable)),
    ];
    let mut given = sources.into_iter().flatten();
    let Some(source) = given.next() else { return Ok(None) };
    if let Some(second) = given.next() {
        return Err(CredentialsError::Twice { what: half.what, first: source.name(), second: second.name() });
    }
    let origin = source.name();
    let text = content(source, half.what, &origin)?;
    checked(&text, half.what, origin).map(Some)
}

fn content(source: Source, what: &'static str, origin: &str) -> Result<Zeroizing<String>, CredentialsError> {
    match source {
        Source::Systemd(path) => read(&path, what, origin, |_| true),
        Source::File(path, _) => read(&path, what, origin, |found| found.permissions().mode() & OTHERS == 0),
        Source::Variable(value, _) => {
            let malformed = |_| CredentialsError::Malformed { what, origin: origin.to_owned() };
            value.into_string().map(Zeroizing::new).map_err(malformed)
        }
    }
}

fn read(
    path: &Path,
    what: &'static str,
    origin: &str,
    guarded: impl Fn(&Metadata) -> bool,
) -> Result<Zeroizing<String>, CredentialsError> {
    let unreadable = |cause| CredentialsError::Unreadable { what, origin: origin.to_owned(), cause };
    let file = File::open(path).map_err(unreadable)?;
    if !guarded(&file.metadata().map_err(unreadable)?) {
        return Err(CredentialsError::Exposed { what, path: path.to_owned() });
    }
    // Room for the longest: a buffer that grows leaves copies behind that nothing wipes.
    let mut bytes = Zeroizing::new(Vec::with_capacity(64 + usize::try_from(MAX_BYTES).unwrap_or_default()));
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    match std::str::from_utf8(&bytes) {
        Ok(text) => Ok(Zeroizing::new(text.to_owned())),
        Err(_) => Err(CredentialsError::Malformed { what, origin: origin.to_owned() }),
    }
}

/// Without the one line break that editors and `echo` add; anything else odd is refused, not repaired.
fn checked(text: &str, what: &'static str, origin: String) -> Result<SecretString, CredentialsError> {
    let text = text.strip_suffix('\n').map_or(text, |text| text.strip_suffix('\r').unwrap_or(text));
    if text.is_empty() {
        return Err(CredentialsError::Empty { what, origin });
    }
    if text.len() as u64 > MAX_BYTES || !text.chars().all(|c| c.is_ascii_graphic()) {
        return Err(CredentialsError::Malformed { what, origin });
    }
    Ok(SecretString::from(text.to_owned()))
}
