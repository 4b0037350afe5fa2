//! How a command ends: the exit codes of DESIGN.md section 3, and the last words on standard error.

use std::process::ExitCode;

use crate::config::ConfigError;

/// A command that did what it should.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// 0
    Fine,
    /// 2: `plan` found something due; `run --once` left something undone.
    Something,
}

/// A command that did not.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// 1. The rooms' errors name their cause themselves, so only the outermost is shown.
    #[error("{0}")]
    Failed(#[from] anyhow::Error),
    /// 64: `EX_USAGE` of sysexits.h.
    #[error("{0}")]
    Usage(String),
    /// 78: `EX_CONFIG` of sysexits.h. systemd does not restart after it.
    #[error("{0}")]
    Config(String),
    /// 78: mistakes in the file, drawn with their places.
    #[error("{0}")]
    Mistakes(String),
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        match error {
            ConfigError::Invalid(diagnostics) => Self::Mistakes(diagnostics.render(super::output::colour_on_stderr())),
            other => Self::Config(other.to_string()),
        }
    }
}

/// Each room's error is a failure of the command; its own words say what to do.
macro_rules! failed {
    ($($error:ty),+ $(,)?) => { $(impl From<$error> for Failure {
        fn from(error: $error) -> Self { Self::Failed(error.into()) }
    })+ };
}

failed!(
    crate::store::OpenError,
    crate::store::StoreError,
    crate::daemon::engine::TickError,
    crate::daemon::lock::LockError,
    crate::daemon::seal::SealError,
    crate::daemon::service::ServiceError,
    crate::portal::read_error::ReadError,
    crate::portal::http::TransportSetupError,
    crate::sandbox::BookError,
    std::io::Error,
);

impl From<crate::config::credentials::CredentialsError> for Failure {
    fn from(error: crate::config::credentials::CredentialsError) -> Self {
        Self::Config(error.to_string())
    }
}

impl Exit {
    /// The process's exit code.
    pub fn code(self) -> ExitCode {
        match self {
            Self::Fine => ExitCode::SUCCESS,
            Self::Something => ExitCode::from(2),
        }
    }
}

impl Failure {
    /// The process's exit code.
    pub fn code(&self) -> ExitCode {
        match self {
            Self::Failed(_) => ExitCode::from(1),
            Self::Usage(_) => ExitCode::from(64),
            Self::Config(_) | Self::Mistakes(_) => ExitCode::from(78),
        }
    }

    /// The same, with what `said` makes of the commands that it names.
    pub(super) fn with_commands(self, said: impl Fn(&str) -> String) -> Self {
        match self {
            Self::Usage(text) => Self::Usage(said(&text)),
            Self::Config(text) => Self::Config(said(&text)),
            // The error itself stays where nothing changes: a reader that went away is told by it.
            Self::Failed(error) => {
                let text = error.to_string();
                let shown = said(&text);
                Self::Failed(if shown == text { error } else { anyhow::Error::msg(shown) })
            }
            Self::Mistakes(_) => self,
        }
    }

    /// The last words on standard error. That nobody reads them any more is no error.
    pub fn explain(&self) {
        use std::io::Write as _;
        let mut out = std::io::stderr();
        let text = self.to_string();
        let _ = match self {
            Self::Mistakes(_) => writeln!(out, "{text}"),
            _ => writeln!(out, "error: {}", text.trim_start_matches("error: ")),
        };
    }

    /// Whether it is only that the reader of our output went away, as `head` does.
    pub fn is_broken_pipe(&self) -> bool {
        let Self::Failed(error) = self else { return false };
        error
            .chain()
            .filter_map(|cause| cause.downcast_ref::<std::io::Error>())
            .any(|io| io.kind() == std::io::ErrorKind::BrokenPipe)
    }
}
