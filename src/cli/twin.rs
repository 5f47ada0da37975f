//! `isoform twin`: an instrument in software, for any client.

use super::console::Console;
use super::failure::{Outcome, Result};
use clap::Args;
use isoform::core::error::{self as core, Error};
use isoform::core::locator::Locator;
use isoform::devices::kinds::{Kind, kind};
use isoform::serial::serve::serve;
use isoform::serial::transport::{Pty, Tcp, Transport, Twin};
use std::net::TcpListener;

/// Serve the twin of an instrument on a pseudo-terminal or a TCP port, until it is ended.
///
/// The path of the pseudo-terminal, or the address, is the first line that is printed; one line for each line of the instrument.
#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// The twin with its options, as in a locator: board, or board?numbers=F32.
    twin: String,
    /// Listen on this TCP port of this computer instead of a pseudo-terminal; nought chooses one.
    #[arg(long)]
    tcp: Option<u16>,
}

impl Serve {
    pub(crate) fn execute(&self, console: &Console) -> Result {
        // whoever copies a locator means the same
        let name = self.twin.strip_prefix("twin:").unwrap_or(&self.twin);
        let locator: Locator = format!("twin:{name}").parse().map_err(Error::from)?;
        let kind = kind(locator.path())?;
        let mut options = locator.reader();
        let twins = (kind.twins)(&mut options)?;
        // what the twin does not know may be for whoever opens it
        for (name, _) in kind.options {
            options.take::<String>(name)?;
        }
        options.finish(&kind.options.iter().chain(kind.twin_options).map(|(name, _)| *name).collect::<Vec<_>>())?;
        let options = of_host(kind, &locator);
        let (mut lines, mut names) = (Vec::new(), Vec::new());
        for (i, twin) in twins.into_iter().enumerate() {
            let line = match self.tcp {
                Some(0) => Line::listen(0)?,
                Some(port) => {
                    let next = u16::try_from(i).ok().and_then(|i| port.checked_add(i));
                    Line::listen(next.ok_or_else(|| Error::not_found(format!("behind port {port} is none for a second line")))?)?
                }
                None => Line::Terminal(Pty::open().map_err(|e| Error::fault("no pseudo-terminal is left").with_source(e))?),
            };
            console.print(line.name())?;
            names.push(line.locator());
            lines.push(std::thread::spawn(move || line.serve(twin)));
        }
        console.note(format!("opened by '{}'", opened_by(kind, &names, &options)));
        for line in lines {
            line.join().map_err(|_| Error::fault("a twin has broken down"))??;
        }
        Ok(Outcome::Done)
    }
}

/// The options of a twin that its driver has too, as they go on in a locator.
fn of_host(kind: &Kind, twin: &Locator) -> String {
    let written = twin.to_string();
    let Some((_, options)) = written.split_once('?') else { return String::new() };
    let is_known = |option: &&str| kind.options.iter().any(|(name, _)| option.split('=').next() == Some(name));
    options.split('&').filter(is_known).map(|option| format!("&{option}")).collect()
}

/// The locator of an instrument whose lines have these locators, with options that whoever opens it has to know.
fn opened_by(kind: &Kind, lines: &[String], options: &str) -> String {
    let [first, others @ ..] = lines else { return String::new() };
    format!("{first}?{}{options}", kind.options_at(others.iter().map(String::as_str)))
}

enum Line {
    Terminal(Pty),
    Network(TcpListener),
}

impl Line {
    fn listen(port: u16) -> core::Result<Self> {
        let refuse =
            |e: std::io::Error| Error::not_found(format!("port {port} of this computer cannot be listened to")).with_source(e);
        TcpListener::bind(("127.0.0.1", port)).map(Self::Network).map_err(refuse)
    }

    fn name(&self) -> String {
        match self {
            Self::Terminal(pty) => pty.path().to_owned(),
            Self::Network(listener) => listener.local_addr().map(|a| a.to_string()).unwrap_or_default(),
        }
    }

    fn locator(&self) -> String {
        let scheme = if matches!(self, Self::Terminal(_)) { "serial" } else { "tcp" };
        format!("{scheme}:{}", self.name())
    }

    /// Serves one client after the other.
    fn serve(self, mut twin: Box<dyn Twin>) -> core::Result<()> {
        let broken = |e: std::io::Error| Error::fault("the line of a twin has failed").with_source(e);
        match self {
            Self::Terminal(mut pty) => serve(twin.as_mut(), &mut pty, &|| false).map_err(broken),
            Self::Network(listener) => {
                // the clock of a twin goes on between clients
                let mut clock = std::time::Duration::ZERO;
                for client in listener.incoming() {
                    // a client that has gone before it was served
                    let Ok(line) = client.and_then(Tcp::accepted) else { continue };
                    let mut line = line.starting_at(clock);
                    serve(twin.as_mut(), &mut line, &|| false).map_err(broken)?;
                    clock = line.now();
                }
                Ok(())
            }
        }
    }
}
