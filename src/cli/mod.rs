//! One file for each command.

#[cfg(feature = "opencl")]
mod build;
mod compare;
mod completions;
mod conform;
mod console;
mod convert;
mod demo;
mod diff;
#[cfg(all(feature = "wgpu", target_os = "linux"))]
mod display;
mod failure;
mod fingerprint;
mod inspect;
mod judge;
mod list;
#[cfg(feature = "devices")]
mod ports;
mod run;
mod stop;
#[cfg(all(feature = "devices", unix))]
mod twin;

use clap::{Parser, Subcommand};
use console::Console;
use isoform::conformance::output::quoted;

use std::process::ExitCode;

/// The command line as it was given; what is no text is spelled out.
fn words() -> Vec<String> {
    std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect()
}

/// The command line as it is typed again.
fn command() -> String {
    let words = words().into_iter().skip(1).map(|word| quoted(&word));
    std::iter::once(String::from("isoform")).chain(words).collect::<Vec<_>>().join(" ")
}

/// Every substrate, opened for the command that is being run. Whoever asks to stop is heard from before the first is opened.
fn registry() -> isoform::core::registry::Registry {
    isoform::registry().with_purpose(command()).with_stop(stop::when_asked())
}

/// One definition of a stateful transfer function, on any substrate, with proof of how faithfully.
#[derive(Debug, Parser)]
#[command(name = "isoform", version, propagate_version = true, max_term_width = 100)]
#[command(after_help = "Exit codes: 0 conforms or done, 1 does not conform, 2 bad input or usage, 3 inconclusive, \
    4 the substrate failed or was lost, 130 asked to stop.\n\nStart with `isoform demo`.")]
struct Cli {
    /// Print results and errors only, no notes and no progress.
    #[arg(long, short, global = true)]
    quiet: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    List(list::List),
    Inspect(inspect::Inspect),
    Run(Box<run::Run>),
    Compare(compare::Compare),
    Conform(conform::Conform),
    Judge(judge::Judge),
    Diff(diff::Diff),
    #[cfg(feature = "opencl")]
    Build(build::Build),
    Convert(convert::Convert),
    Demo(demo::Demo),
    #[cfg(all(feature = "devices", unix))]
    Twin(twin::Serve),
    Completions(completions::Completions),
}

pub(crate) fn main() -> ExitCode {
    #[cfg(all(feature = "wgpu", target_os = "linux"))]
    display::start_with_folder();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return failure::usage(&error),
    };
    let console = Console::new(cli.quiet);
    let outcome = match cli.command {
        Command::List(command) => command.execute(&console),
        Command::Inspect(command) => command.execute(&console),
        Command::Run(command) => command.execute(&console),
        Command::Compare(command) => command.execute(&console),
        Command::Conform(command) => command.execute(&console),
        Command::Judge(command) => command.execute(&console),
        Command::Diff(command) => command.execute(&console),
        #[cfg(feature = "opencl")]
        Command::Build(command) => command.execute(&console),
        Command::Convert(command) => command.execute(&console),
        Command::Demo(command) => command.execute(&console),
        #[cfg(all(feature = "devices", unix))]
        Command::Twin(command) => command.execute(&console),
        Command::Completions(command) => command.execute(&console),
    };
    match outcome {
        Ok(outcome) => outcome.into(),
        Err(_) if stop::is_asked() => failure::stopped(),
        Err(failure) => failure.report(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_commands_are_consistent() {
        Cli::command().debug_assert();
    }
}
