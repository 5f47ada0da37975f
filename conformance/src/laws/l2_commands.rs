//! `L2.commands`: calls in any order.
//!
//! It proves that after any sequence of ragged advances, empty ones, resets, saves, loads, writes of parameters and calls that are refused,
//! the output is, to the bit, that of a fresh realization that is given only the history that counts: what came since the last reset,
//! with a load going back to the history of its save. A sequence that disagrees is made shorter, command by command, as long as it
//! disagrees, and the shortest stands in the reason.

use crate::bench::{Bench, advance};
use crate::chance::Chance;
use crate::checks;
use crate::houses::is_fixed;
use crate::law::{Law, Verdict, if_repeatable};
use crate::record::{Evidence, Level, Status};
use isoform_core::error::{Error, Result};
use isoform_core::profile::Profile;
use isoform_core::program::Program;
use isoform_core::session::Blocking;
use isoform_core::signal::{Signal, SignalMut};
use isoform_core::substrate::Run;
use serde::{Deserialize, Serialize};

pub(super) const LAW: Law = Law {
    id: "L2.commands",
    title: "a random sequence of commands is its effective history",
    level: Level::L2,
    needs: "a class that repeats itself",
    requirement: if_repeatable,
    statistical: false,
    measure,
    judge,
};

const SEQUENCES: usize = 12;
const COMMANDS: usize = 24;

/// One call. Inputs are drawn from the number that an advance carries.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
enum Command {
    Advance { ticks: usize, input: u32 },
    Reset,
    Save,
    Load,
    Write { parameter: usize, factor: f64 },
    BadInput,
    BadWrite,
}

fn measure(bench: &Bench<'_>, evidence: &mut Evidence) -> Result<()> {
    let mut chance = bench.chance();
    let houses = bench.houses()?;
    for n in 0..SEQUENCES {
        let Some((house, plan)) = houses.get(n % houses.len()) else { break };
        let program = plan.build()?;
        let mut commands: Vec<Command> = (0..COMMANDS).map(|_| draw(bench, &mut chance)).collect();
        let (mut got, mut want) = play(bench, &program, &commands)?;
        let name = format!("sequence {n} on {house}");
        if got != want {
            let mut at = 0;
            while at < commands.len() {
                let mut fewer = commands.clone();
                fewer.remove(at);
                let (g, w) = play(bench, &program, &fewer)?;
                if g == w {
                    at += 1;
                } else {
                    (commands, got, want) = (fewer, g, w);
                }
            }
            evidence.note("counter-example", format!("{commands:?}"));
        }
        evidence.note(&name, &commands);
        evidence.twins(name.clone(), [&format!("{name}/got"), &format!("{name}/want")], [&got, &want]);
        if got != want {
            break;
        }
    }
    Ok(())
}

fn draw(bench: &Bench<'_>, chance: &mut Chance) -> Command {
    let facets = bench.profile.facets;
    match chance.below(12) {
        0 => Command::Reset,
        1 | 2 if facets.memory => Command::Save,
        3 | 4 if facets.memory => Command::Load,
        5 if facets.tuning => Command::Write { parameter: chance.below(8), factor: chance.within(0.8, 1.2) },
        6 => Command::BadInput,
        7 if facets.tuning => Command::BadWrite,
        _ => Command::Advance { ticks: [0, 1, 2, 3, 7, 17][chance.below(6)], input: chance.bits() },
    }
}

/// What counts for the output.
#[derive(Debug, Clone)]
enum Event {
    Rows(Vec<f32>, usize),
    Write(String, &'static str, Vec<f64>),
}

/// Plays a sequence; gives what came out, and what a fresh realization gives for the history that counts.
fn play(bench: &Bench<'_>, program: &Program, commands: &[Command]) -> Result<(Vec<f32>, Vec<f32>)> {
    let run = Run::new().with_batch(bench.batch(2)).with_seed(bench.seed);
    let mut session = bench.open(program, &run)?;
    let row = run.input(program, 1).len();
    let parameters: Vec<(String, &'static str)> =
        program.nodes().iter().flat_map(|n| n.parameters().into_iter().map(|(p, _)| (n.name.clone(), p))).collect();
    // parameters outlive resets and loads, so that writes are kept apart from rows
    let (mut history, mut writes): (Vec<Event>, Vec<Event>) = (Vec::new(), Vec::new());
    let mut saved = None;
    let (mut got, mut replays) = (Vec::new(), Vec::new());
    for command in commands {
        match *command {
            Command::Advance { ticks, input } => {
                let x = bench.drive(&mut Chance::new(u64::from(input), "input"), row * ticks);
                got.extend(advance(&mut session, &x, ticks)?);
                history.push(Event::Rows(x, ticks));
                replays.push(history.clone());
            }
            Command::Reset => {
                session.reset()?;
                history = writes.clone();
            }
            Command::Save => saved = Some((session.save()?, history.clone(), writes.len())),
            Command::Load => {
                if let Some((state, past, known)) = &saved {
                    session.load(state)?;
                    history = past.clone();
                    history.extend(writes[*known..].iter().cloned());
                }
            }
            Command::Write { parameter, factor } => {
                if let Some((node, name)) = parameters.get(parameter % parameters.len().max(1)) {
                    let values: Vec<f64> = session.read(node, name)?.iter().map(|v| v * factor).collect();
                    match session.write(node, name, &values) {
                        Ok(set) => {
                            let write = Event::Write(node.clone(), name, set);
                            writes.push(write.clone());
                            history.push(write);
                        }
                        Err(e) if program.node(node).is_ok_and(|(_, node)| is_fixed(node, &e)) => {}
                        Err(e) => return Err(e),
                    }
                }
            }
            Command::BadInput => refused(&session.advance(Signal::Dense(&[f32::NAN]), SignalMut::Dense(&mut []), 1))?,
            Command::BadWrite => refused(&session.write("nobody", "nothing", &[1.0]))?,
        }
    }
    drop(session);
    let mut want = Vec::new();
    for replay in replays {
        want.extend(last(&mut bench.open(program, &run)?, &replay)?);
    }
    Ok((got, want))
}

fn refused<T>(result: &Result<T>) -> Result<()> {
    match result {
        Ok(_) => Err(Error::fault("a call that does not fit was accepted")),
        Err(_) => Ok(()),
    }
}

/// The output of the last advance of a history.
fn last(session: &mut Blocking, history: &[Event]) -> Result<Vec<f32>> {
    let mut y = Vec::new();
    for event in history {
        match event {
            Event::Rows(x, ticks) => y = advance(session, x, *ticks)?,
            Event::Write(node, parameter, values) => {
                session.write(node, parameter, values)?;
            }
        }
    }
    Ok(y)
}

fn judge(evidence: &Evidence, profile: &Profile) -> Verdict {
    let mut verdict = checks::judge(evidence, profile);
    if let (Status::Fail, Some(commands)) = (verdict.status, evidence.fact::<String>("counter-example")) {
        verdict.reason = format!("{}; the shortest sequence that shows it: {commands}", verdict.reason);
    }
    verdict
}
