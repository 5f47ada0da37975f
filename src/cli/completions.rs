//! `isoform completions`: for the shell.

use super::Cli;
use super::console::Console;
use super::failure::{Failure, Outcome, Result};
use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

/// Print the completions of a shell.
///
/// For bash: isoform completions bash > ~/.local/share/bash-completion/completions/isoform
#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// The shell.
    shell: Shell,
}

impl Completions {
    pub(crate) fn execute(&self, console: &Console) -> Result {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "isoform", &mut script);
        console.print(String::from_utf8(script).map_err(Failure::input)?)?;
        Ok(Outcome::Done)
    }
}
