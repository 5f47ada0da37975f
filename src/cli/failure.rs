//! How a command ends.

use clap::CommandFactory as _;
use isoform::core::calibration::Expired;
use isoform::core::error::Error;
use std::fmt::Display;
use std::process::ExitCode;

/// How a command ended that came to an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It is done, or the substrate conforms.
    Done,
    /// The substrate does not conform.
    Refuted,
    /// There is not enough evidence.
    Inconclusive,
    /// It was asked to stop, and what it had found by then is kept.
    Stopped,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        Self::from(match outcome {
            Outcome::Done => 0,
            Outcome::Refuted => 1,
            Outcome::Inconclusive => 3,
            Outcome::Stopped => super::stop::TOLD,
        })
    }
}

/// Why a command broke off.
#[derive(Debug)]
pub(crate) enum Failure {
    /// What was handed over cannot be used.
    Input(String),
    /// The substrate failed or was lost.
    Substrate(String),
}

pub(crate) type Result<T = Outcome> = std::result::Result<T, Failure>;

impl Failure {
    pub(crate) fn input(why: impl Display) -> Self {
        Self::Input(why.to_string())
    }

    /// An error with what it is about before it.
    pub(crate) fn about(what: impl Display) -> impl FnOnce(Error) -> Self {
        move |error| match Self::from(error) {
            Self::Input(why) => Self::Input(format!("{what}: {why}")),
            Self::Substrate(why) => Self::Substrate(format!("{what}: {why}")),
        }
    }

    /// An error of a substrate. A replay that is out of step with its recording was asked something else: no device has failed.
    pub(crate) fn at(locator: &str, error: Error) -> Self {
        let mut sources = std::iter::successors(std::error::Error::source(&error), |e| e.source());
        let unfit = sources.any(is_out_of_step);
        let error = error.with_locator(locator);
        if unfit {
            return Self::Input(format!(
                "{error}; a replay answers what was asked when it was recorded: the same model, input and seed"
            ));
        }
        Self::from(error)
    }

    /// Says why, in one line, and gives the code to exit with.
    pub(crate) fn report(&self) -> ExitCode {
        let (why, code) = match self {
            Self::Input(why) => (why, 2),
            Self::Substrate(why) => (why, 4),
        };
        // a session may go on after a reset; a command has ended, and closed its session
        say(&why.replace(LOST, ""));
        ExitCode::from(code)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        // who asks for ticks beyond the time of a calibration asks for too much; one that cannot be made is a fault of the device
        let is_over = std::error::Error::source(&error).is_some_and(|source| source.is::<Expired>());
        let bad_input = (error.kind().is_bad_input() || is_over) && error.state() == isoform::core::error::Integrity::Intact;
        if bad_input { Self::Input(error.to_string()) } else { Self::Substrate(error.to_string()) }
    }
}

/// What an error says at its end that lost the state.
const LOST: &str = " (the state is lost: reset or load before going on)";

/// Whether a replay was asked something else than its recording was.
fn is_out_of_step(error: &(dyn std::error::Error + 'static)) -> bool {
    #[cfg(feature = "devices")]
    if matches!(error.downcast_ref(), Some(isoform::serial::error::SerialError::Transcript { .. })) {
        return true;
    }
    error.is::<isoform::core::layer::replay::OutOfStep>()
}

/// What a command says that broke off because it was asked to.
pub(crate) fn stopped() -> ExitCode {
    say("asked to stop: instruments were left in a safe condition, and no outputs were written");
    ExitCode::from(super::stop::TOLD)
}

fn say(why: &str) {
    let style = anstyle::AnsiColor::Red.on_default().bold();
    anstream::eprintln!("{style}error:{style:#} {}", one_line(why));
}

/// A text without anything that would break the line or move the cursor.
fn one_line(text: &str) -> String {
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What clap has to say: help as it is, anything else in one line.
pub(crate) fn usage(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        let printed = super::Console::new(true).print(error.render().ansi().to_string().trim_end());
        return printed.map_or_else(|failure| failure.report(), |()| ExitCode::SUCCESS);
    }
    if error.kind() == clap::error::ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        let _ = error.print();
        return ExitCode::from(2);
    }
    let text = error.render().to_string();
    let text = text.strip_prefix("error: ").unwrap_or(&text);
    let paragraphs: Vec<&str> = text.split("\n\n").map(str::trim).collect();
    let said = paragraphs.iter().filter(|p| !p.starts_with("Usage:") && !p.starts_with("For more information") && !p.is_empty());
    let said: Vec<String> = said.map(|p| one_line(p).replace("tip: ", "")).collect();
    let named = std::env::args_os()
        .nth(1)
        .and_then(|word| word.into_string().ok())
        .filter(|word| super::Cli::command().find_subcommand(word).is_some());
    let command = named.map_or_else(|| String::from("isoform"), |name| format!("isoform {name}"));
    say(&format!("{}; see {command} --help", said.join("; ")));
    ExitCode::from(2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use isoform::core::error::ErrorKind;

    #[test]
    fn a_line_stays_a_line() {
        assert_eq!(one_line("a\n  b\x1b[31m\tc"), "a b [31m c");
    }

    #[test]
    fn an_error_that_lost_the_state_ends_with_what_a_command_leaves_out() {
        assert!(Error::fault("x").with_state_lost().to_string().ends_with(LOST));
    }

    #[test]
    fn bad_input_and_a_failed_substrate_are_told_apart() {
        let is_input = |e: Error| matches!(Failure::from(e), Failure::Input(_));
        assert!(is_input(Error::invalid_signal("x")));
        assert!(is_input(Error::not_found("x")));
        assert!(!is_input(Error::invalid_signal("x").with_state_lost()));
        assert!(!is_input(Error::new(ErrorKind::Timeout, "x")));
        assert!(is_input(Error::new(ErrorKind::Calibration, "it is over").with_source(Expired)));
        assert!(!is_input(Error::new(ErrorKind::Calibration, "nothing fits")));
        assert!(!is_input(Error::fault("x")));
    }
}
