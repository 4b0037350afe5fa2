//! One table of the file, read key by key.
//!
//! Owns what every table has in common: keys that nobody knows, keys that are missing, values of the wrong kind. A mistake is
//! recorded and reading goes on, so that all are found at once. Never knows what a key means.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::keys::{self, Key, Kind};
use super::problem::{Problem, Problems, Span};
use super::secret::is_secret;
use super::shown::quoted;
use super::value::{self, Wrong};

/// A value and where it stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct At<T> {
    pub value: T,
    pub span: Span,
}

/// Proof that something is wrong and has been said: only the reports below make one. Nothing that follows from it is said again.
#[derive(Debug, Clone, Copy)]
pub(super) struct Said(());

/// What became of one key.
#[derive(Debug, Clone, Copy)]
pub(super) enum Field<T> {
    /// The key is not there.
    Absent,
    /// It is there and useless, which has been said.
    Bad,
    /// Read.
    Good(At<T>),
}

impl<T> Field<T> {
    /// This one if it stands in the file, right or wrong, else `other`.
    pub fn or(self, other: Self) -> Self {
        if matches!(self, Self::Absent) { other } else { self }
    }

    /// The value, if there is a good one.
    pub fn good(self) -> Option<At<T>> {
        match self {
            Self::Good(at) => Some(at),
            Self::Absent | Self::Bad => None,
        }
    }

    /// Where the key's value stands, if it is a good one.
    pub fn span(&self) -> Option<Span> {
        match self {
            Self::Good(at) => Some(at.span),
            Self::Absent | Self::Bad => None,
        }
    }

    /// The value of a key whose absence has been said.
    pub fn needed(self) -> Result<At<T>, Said> {
        self.good().ok_or(Said(()))
    }

    /// The value; `default` where the key is absent.
    pub fn unwrap_or(self, default: T) -> Result<T, Said> {
        self.unwrap_or_else(|| default)
    }

    /// The same, with a default that costs something.
    pub fn unwrap_or_else(self, default: impl FnOnce() -> T) -> Result<T, Said> {
        self.optional().map(|given| given.unwrap_or_else(default))
    }

    /// The value if there is one.
    pub fn optional(self) -> Result<Option<T>, Said> {
        match self {
            Self::Good(at) => Ok(Some(at.value)),
            Self::Absent => Ok(None),
            Self::Bad => Err(Said(())),
        }
    }
}

/// One table being read.
pub(super) struct Section<'d, 'i> {
    /// As people write it, such as `[portal]`.
    pub title: &'static str,
    /// Its header, where what is missing is reported.
    pub header: Span,
    pub problems: &'d Problems,
    table: Option<&'d DeTable<'i>>,
    keys: &'static [Key],
}

impl<'d, 'i> Section<'d, 'i> {
    /// Opens a table that may hold `keys`, and reports those that are unknown and those that are missing.
    pub fn open(title: &'static str, header: Span, table: &'d DeTable<'i>, keys: &'static [Key], problems: &'d Problems) -> Self {
        let section = Self { title, header, problems, table: Some(table), keys };
        for (key, _) in table {
            if !keys.iter().any(|known| known.name == key.get_ref().as_ref()) {
                problems.add(section.unknown(key));
            }
        }
        for key in keys.iter().filter(|key| key.required && !table.contains_key(key.name)) {
            section.missing(key.name, "");
        }
        section
    }

    /// A table that is not in the file.
    pub fn empty(title: &'static str, keys: &'static [Key], problems: &'d Problems) -> Self {
        Self { title, header: Span::default(), problems, table: None, keys }
    }

    /// Reads one key by `convert`.
    pub fn read<T>(&self, name: &str, convert: impl FnOnce(&'d Spanned<DeValue<'i>>) -> Result<T, Wrong>) -> Field<T> {
        let Some(value) = self.value(name) else { return Field::Absent };
        match convert(value) {
            Ok(good) => Field::Good(At { value: good, span: value.span().into() }),
            Err(wrong) => {
                self.problems.add(self.explain(name, value, wrong));
                Field::Bad
            }
        }
    }

    /// Reads a whole number within its declared bounds.
    pub fn number(&self, name: &str) -> Field<u32> {
        let Some(Kind::Number { min, max }) = self.key(name).map(|key| &key.kind) else { return Field::Absent };
        self.read(name, |given| value::number(given, *min, *max))
    }

    /// Reads whole days within their declared bounds.
    pub fn days(&self, name: &str) -> Field<u32> {
        let Some(Kind::Days { min, max }) = self.key(name).map(|key| &key.kind) else { return Field::Absent };
        self.read(name, |given| value::days(given, *min, *max))
    }

    /// Reads a short text of at most its declared length.
    pub fn label(&self, name: &str) -> Field<&'d str> {
        let Some(Kind::Text { max }) = self.key(name).map(|key| &key.kind) else { return Field::Absent };
        self.read(name, |given| value::label(given, *max))
    }

    /// The bare value of a key that may stand here.
    pub fn value(&self, name: &str) -> Option<&'d Spanned<DeValue<'i>>> {
        debug_assert!(self.key(name).is_some(), "{name} is not declared in {}", self.title);
        self.table?.get(name)
    }

    fn key(&self, name: &str) -> Option<&'static Key> {
        self.keys.iter().find(|key| key.name == name)
    }

    /// Reports that a key which is needed here is not there.
    pub fn missing(&self, name: &str, why: &str) -> Said {
        let example = self.example(name);
        let help = if why.is_empty() { example } else { format!("{why}; {example}") };
        let problem = Problem::error(self.header, format!("`{name}` is missing in {}", self.title));
        let label = if self.header == Span::default() { "at the top" } else { "in this table" };
        self.problems.add(problem.label(label).help(help).absence());
        Said(())
    }

    /// Reports a value that is fine by itself and wrong here.
    pub fn refuse(&self, span: Span, title: String, label: &str, help: String) -> Said {
        self.problems.add(Problem::error(span, title).label(label).help(help));
        Said(())
    }

    fn explain(&self, name: &str, value: &Spanned<DeValue<'_>>, wrong: Wrong) -> Problem {
        let span = wrong.span.unwrap_or_else(|| value.span().into());
        let help = wrong.help.unwrap_or_else(|| self.example(name));
        Problem::error(span, format!("`{name}` must be {}", wrong.must)).label(wrong.label).help(help)
    }

    fn example(&self, name: &str) -> String {
        let example = self.key(name).map_or("…", |key| key.example);
        format!("for example `{name} = {example}`")
    }

    fn unknown(&self, key: &Spanned<std::borrow::Cow<'_, str>>) -> Problem {
        let (name, span) = (key.get_ref().as_ref(), key.span());
        if is_secret(name) {
            return Problem::error(span, "credentials never stand in the file")
                .label("take this line out")
                .help(WHERE_CREDENTIALS_GO)
                .hide_rest();
        }
        let problem = Problem::error(span, format!("unknown key {} in {}", quoted(name), self.title));
        if let Some(near) = self.nearest(name) {
            return problem.label(format!("did you mean `{near}`?"));
        }
        match keys::homes(name) {
            Some(homes) => problem.label("not here").help(format!("`{name}` belongs {homes}")),
            None => problem.label("nobody reads this").help(self.names()).hide_rest(),
        }
    }

    fn names(&self) -> String {
        let names: Vec<&str> = self.keys.iter().map(|key| key.name).collect();
        format!("{} takes {}", self.title, names.join(", "))
    }

    fn nearest(&self, name: &str) -> Option<&'static str> {
        nearest(name, self.keys.iter().map(|key| key.name))
    }
}

/// The remedy for a credential in the file (DESIGN.md section 3).
const WHERE_CREDENTIALS_GO: &str = "give them as the systemd credentials portal-client-id and portal-client-secret, as files \
     named by RENEWD_CLIENT_ID_FILE and RENEWD_CLIENT_SECRET_FILE, or as RENEWD_CLIENT_ID and RENEWD_CLIENT_SECRET; a secret \
     that has stood in a file is better replaced in the portal";

/// The candidate that `word` was probably meant to be.
pub(super) fn nearest<'c>(word: &str, candidates: impl Iterator<Item = &'c str>) -> Option<&'c str> {
    // A slip or two; in a short word, fewer.
    let allowed = match word.chars().count() {
        0..=2 => return None,
        3..=5 => 1,
        6..=9 => 2,
        _ => 3,
    };
    let plain = |word: &str| word.to_lowercase().replace(['-', ' '], "_");
    let word = plain(word);
    let close = |candidate: &'c str| {
        let distance = strsim::osa_distance(&word, &plain(candidate));
        (distance <= allowed).then_some((distance, candidate))
    };
    let similar = candidates.filter(|candidate| candidate.len().abs_diff(word.len()) <= 2 * allowed);
    similar.filter_map(close).min_by_key(|(distance, _)| *distance).map(|(_, candidate)| candidate)
}
