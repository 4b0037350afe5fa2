//! The words for faults, and how a text of them is read.

use std::time::Duration;

use super::{Effect, Fault, Instruction, Reply, Target};
use crate::sandbox::message::VALIDATION_CODE;
use crate::sandbox::route::Endpoint;

/// A word of the fault language, for `--help`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FaultWord {
    /// The word.
    pub word: &'static str,
    /// What may follow a colon, or nothing.
    pub argument: &'static str,
    /// What it does, in a line.
    pub what: &'static str,
}

const fn word(word: &'static str, argument: &'static str, what: &'static str) -> FaultWord {
    FaultWord { word, argument, what }
}

pub(super) static WORDS: [FaultWord; 19] = [
    word("refuse", "CODE", "refused with HTTP 400 and this code (default parameter_validation_failed)"),
    word("error-200", "CODE", "refused with this code under HTTP 200 (default system_error)"),
    word("401", "", "the token is not accepted"),
    word("429", "SECONDS", "too many requests, with Retry-After (default 60)"),
    word("500", "", "server error, not carried out (500+done: carried out); any number from 400 to 599 will do"),
    word("503", "SECONDS", "unavailable, with Retry-After if given, not carried out"),
    word("redirect", "", "307 to the same address, not carried out"),
    word("unread", "", "the connection closes before the body is read; not carried out"),
    word("reset", "", "the connection is reset; not carried out"),
    word("hang", "", "no answer ever; not carried out"),
    word("lost-answer", "", "carried out; the connection closes without an answer"),
    word("late", "DURATION", "carried out and answered after a delay (default 30s)"),
    word("cut", "BYTES", "carried out; the answer breaks off after this much of its body (default 20)"),
    word("garbage", "", "carried out; the answer is HTTP 200 and not JSON"),
    word("duplicate-answer", "", "save only: carried out; the answer is that to the order before"),
    word("no-order-number", "", "save only: carried out; a success without an order number"),
    word("later", "DURATION", "save only: no answer now, carried out after this time (default 2h)"),
    word("down", "DURATION", "any only: nothing can be reached for this time (default 1h)"),
    word("ok", "", "no fault; keeps the place of one call in the queue"),
];

/// Why a fault text was not understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("fault `{text}`: {problem}")]
pub struct FaultError {
    /// The text.
    pub text: String,
    /// What is wrong, and what would be right.
    pub problem: String,
}

/// Reads `TARGET=WORD[:ARGUMENT][+done|+undone|+later[:DURATION]][*TIMES]`, such as `save=lost-answer`, `list=500*3` or
/// `save=hang+later:2h`. The part after `+` replaces the word's own effect.
pub fn parse(text: &str) -> Result<Instruction, FaultError> {
    let text = text.trim();
    read(text).map_err(|problem| FaultError { text: text.into(), problem })
}

/// Reads several fault texts, one a line or separated by commas.
pub fn parse_all(text: &str) -> Result<Vec<Instruction>, FaultError> {
    text.split(['\n', ',']).map(str::trim).filter(|part| !part.is_empty()).map(parse).collect()
}

fn read(text: &str) -> Result<Instruction, String> {
    let (target, rest) = text.split_once('=').ok_or("write it as TARGET=WORD, such as save=lost-answer")?;
    let target = read_target(target.trim())?;
    let (rest, times) = match rest.rsplit_once('*') {
        Some((rest, times)) => (rest, times.trim().parse().map_err(|_| format!("`{times}` is no number of times"))?),
        None => (rest, 1),
    };
    let (rest, effect) = match rest.split_once('+') {
        Some((rest, effect)) => (rest, Some(read_effect(effect.trim())?)),
        None => (rest, None),
    };
    let (word, argument) = split_argument(rest.trim());
    if word == "down" {
        return read_down(target, argument, effect.is_some() || times != 1);
    }
    let mut fault = read_word(word, argument)?;
    fault.effect = effect.unwrap_or(fault.effect);
    check_target(target, &fault)?;
    Ok(Instruction::Strike { target, fault, times })
}

fn read_target(word: &str) -> Result<Target, String> {
    if word == "any" {
        return Ok(Target::Any);
    }
    let found = Endpoint::ALL.into_iter().find(|endpoint| endpoint.word() == word);
    found.map(Target::Only).ok_or_else(|| {
        let words = Endpoint::ALL.map(Endpoint::word);
        format!("`{word}` is no endpoint{}; there are any, {}", meant(word, words.into_iter()), words.join(", "))
    })
}

fn read_effect(text: &str) -> Result<Effect, String> {
    match split_argument(text) {
        ("done", None) => Ok(Effect::Done),
        ("undone", None) => Ok(Effect::Undone),
        ("later", argument) => duration(argument, 2 * 3600).map(Effect::Later),
        _ => Err(format!("after + comes done, undone or later:DURATION, not `{text}`")),
    }
}

fn read_down(target: Target, argument: Option<&str>, more: bool) -> Result<Instruction, String> {
    if target != Target::Any || more {
        return Err("the portal is down as a whole: write any=down:DURATION".into());
    }
    duration(argument, 3600).map(Instruction::Down)
}

fn read_word(word: &str, argument: Option<&str>) -> Result<Fault, String> {
    use Effect::{Done, Later, Undone};
    let code = |otherwise: &str| argument.unwrap_or(otherwise).to_owned();
    let (effect, reply) = match word {
        "refuse" => (Undone, Reply::Refuse(code(VALIDATION_CODE))),
        "error-200" => (Undone, Reply::Disguised(code("system_error"))),
        "429" => (Undone, Reply::Status(429, Some(number(argument, 60)?))),
        "late" => (Done, Reply::Late(duration(argument, 30)?)),
        "cut" => (Done, Reply::Cut(number(argument, 20)?)),
        "later" => (Later(duration(argument, 2 * 3600)?), Reply::Close),
        _ => return read_status(word, argument).or_else(|| read_plain(word, argument)).unwrap_or_else(|| Err(unknown(word))),
    };
    Ok(Fault { effect, reply })
}

fn read_status(word: &str, argument: Option<&str>) -> Option<Result<Fault, String>> {
    let status = word.parse::<u16>().ok().filter(|status| (400..600).contains(status))?;
    let retry_after = argument.map(|text| number(Some(text), 0)).transpose();
    Some(retry_after.map(|seconds| Fault { effect: Effect::Undone, reply: Reply::Status(status, seconds) }))
}

/// Words that take no argument.
fn read_plain(word: &str, argument: Option<&str>) -> Option<Result<Fault, String>> {
    let (effect, reply) = match word {
        "redirect" => (Effect::Undone, Reply::Redirect),
        "unread" => (Effect::Undone, Reply::CloseUnread),
        "reset" => (Effect::Undone, Reply::Reset),
        "hang" => (Effect::Undone, Reply::Hang),
        "lost-answer" => (Effect::Done, Reply::Close),
        "garbage" => (Effect::Done, Reply::Garbage),
        "duplicate-answer" => (Effect::Done, Reply::Duplicate),
        "no-order-number" => (Effect::Done, Reply::NoOrderNumber),
        "ok" => (Effect::Done, Reply::Normal),
        _ => return None,
    };
    if argument.is_some() {
        return Some(Err(format!("{word} takes nothing after a colon")));
    }
    Some(Ok(Fault { effect, reply }))
}

fn check_target(target: Target, fault: &Fault) -> Result<(), String> {
    let orders_only = matches!(fault.reply, Reply::Duplicate | Reply::NoOrderNumber) || matches!(fault.effect, Effect::Later(_));
    if orders_only && target != Target::Only(Endpoint::Save) {
        return Err("this fault is about orders: write save=…".into());
    }
    if fault.reply == Reply::CloseUnread && fault.effect == Effect::Done {
        return Err("what was not read cannot be carried out; lost-answer is carried out and not answered".into());
    }
    Ok(())
}

fn unknown(word: &str) -> String {
    let words = WORDS.map(|known| known.word);
    format!("`{word}` is no fault{}; there are {}", meant(word, words.into_iter()), words.join(", "))
}

fn meant(word: &str, known: impl Iterator<Item = &'static str>) -> String {
    let best = known.map(|other| (strsim::damerau_levenshtein(word, other), other)).min();
    best.filter(|(distance, _)| *distance <= 3).map(|(_, other)| format!(" (did you mean {other}?)")).unwrap_or_default()
}

fn split_argument(text: &str) -> (&str, Option<&str>) {
    text.split_once(':').map_or((text, None), |(word, argument)| (word.trim(), Some(argument.trim())))
}

fn number<T: std::str::FromStr>(argument: Option<&str>, otherwise: T) -> Result<T, String> {
    argument.map_or(Ok(otherwise), |text| text.parse().map_err(|_| format!("`{text}` is no number")))
}

/// `90` (seconds), `500ms`, `30s`, `2h 30m`.
fn duration(argument: Option<&str>, otherwise: u64) -> Result<Duration, String> {
    let Some(text) = argument else { return Ok(Duration::from_secs(otherwise)) };
    if let Ok(seconds) = text.parse() {
        return Ok(Duration::from_secs(seconds));
    }
    let parsed = text.parse::<jiff::SignedDuration>().ok().and_then(|span| Duration::try_from(span).ok());
    parsed.ok_or_else(|| format!("`{text}` is no duration; write 90s, 30m or 2h"))
}
