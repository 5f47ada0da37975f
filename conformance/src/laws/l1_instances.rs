//! `L1.instances`: realizations are isolated.
//!
//! It proves for two realizations of one program, on inputs of their own and the second opened while the first is under way, that both
//! compute in turns what each computes alone, to the bit, while each is reset, written to, saved and loaded in other turns than the
//! other. Where the profile offers one realization only, its refusal of the second is `L0.two-realizations`, and the first goes on after
//! that refusal as it does alone.

use crate::bench::{Bench, advance};
use crate::checks;
use crate::houses::is_fixed;
use crate::law::{Law, if_repeatable};
use crate::record::{Evidence, Level};
use isoform_core::error::Result;
use isoform_core::program::Program;
use isoform_core::session::Blocking;
use isoform_core::state::State;
use isoform_core::substrate::Run;

pub(super) const LAW: Law = Law {
    id: "L1.instances",
    title: "realizations do not share state",
    level: Level::L1,
    needs: "a class that repeats itself",
    requirement: if_repeatable,
    statistical: false,
    measure,
    judge: checks::judge,
};

const TICKS: usize = 10;

/// What is done to a realization in a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    Advance,
    Reset,
    Write,
    Save,
    Load,
}

use Turn::{Advance, Load, Reset, Save, Write};

/// What the first goes through before the second is there.
const BEFORE: [Turn; 2] = [Advance, Advance];
/// In each turn one does something, and the other computes.
const TURNS: [[Turn; 2]; 11] = [
    [Save, Advance],
    [Advance, Reset],
    [Advance, Advance],
    [Write, Advance],
    [Advance, Save],
    [Advance, Write],
    [Advance, Advance],
    [Load, Advance],
    [Advance, Load],
    [Reset, Advance],
    [Advance, Advance],
];

/// A realization, what goes into it, and what came out of it.
struct Player<'a> {
    session: Blocking,
    program: &'a Program,
    inputs: std::slice::Iter<'a, Vec<f32>>,
    facets: [bool; 2],
    saved: Option<State>,
    outputs: Vec<f32>,
}

impl<'a> Player<'a> {
    fn open(bench: &Bench<'_>, program: &'a Program, run: &Run, inputs: &'a [Vec<f32>]) -> Result<Self> {
        let facets = [bench.profile.facets.memory, bench.profile.facets.tuning];
        let session = bench.open(program, run)?;
        Ok(Self { session, program, inputs: inputs.iter(), facets, saved: None, outputs: Vec::new() })
    }

    fn play(&mut self, turn: Turn) -> Result<()> {
        let [memory, tuning] = self.facets;
        match turn {
            Advance => {
                if let Some(x) = self.inputs.next() {
                    self.outputs.extend(advance(&mut self.session, x, TICKS)?);
                }
            }
            Reset => self.session.reset()?,
            Save if memory => self.saved = Some(self.session.save()?),
            Load => {
                if let Some(state) = &self.saved {
                    self.session.load(state)?;
                }
            }
            Write if tuning => self.write()?,
            Save | Write => {}
        }
        Ok(())
    }

    /// Writes another value to the first parameter of every node.
    fn write(&mut self) -> Result<()> {
        for node in self.program.nodes() {
            let Some((parameter, _)) = node.parameters().into_iter().next() else { continue };
            let values: Vec<f64> = self.session.read(&node.name, parameter)?.iter().map(|v| v * 0.875).collect();
            match self.session.write(&node.name, parameter, &values) {
                Err(e) if is_fixed(node, &e) => {}
                other => drop(other?),
            }
        }
        Ok(())
    }
}

fn measure(bench: &Bench<'_>, evidence: &mut Evidence) -> Result<()> {
    for (name, plan) in bench.houses()? {
        let program = plan.build()?;
        let run = Run::new().with_batch(bench.batch(2)).with_seed(bench.seed);
        let mut chance = bench.chance();
        let size = run.input(&program, TICKS).len();
        let mut inputs = || -> Vec<Vec<f32>> { (0..BEFORE.len() + TURNS.len()).map(|_| bench.drive(&mut chance, size)).collect() };
        let [ours, theirs] = [inputs(), inputs()];
        let turns = |which: usize| TURNS.iter().map(move |turn| turn[which]);
        let alone = |inputs: &[Vec<f32>], turns: Vec<Turn>| -> Result<Vec<f32>> {
            let mut player = Player::open(bench, &program, &run, inputs)?;
            turns.into_iter().try_for_each(|turn| player.play(turn))?;
            Ok(player.outputs)
        };
        let first_alone = alone(&ours, BEFORE.into_iter().chain(turns(0)).collect())?;
        let second_alone = alone(&theirs, turns(1).collect())?;
        let mut first = Player::open(bench, &program, &run, &ours)?;
        BEFORE.into_iter().try_for_each(|turn| first.play(turn))?;
        let several = bench.profile.limits.realizations > 1;
        let second = Player::open(bench, &program, &run, &theirs);
        if several != second.is_ok() {
            let [want, got] = if several { ["accepted", "refused"] } else { ["busy", "accepted"] };
            evidence.check("a second realization", &[want], got);
        }
        let mut second = second.ok();
        for [ours, theirs] in TURNS {
            first.play(ours)?;
            if let Some(second) = &mut second {
                second.play(theirs)?;
            }
        }
        let names = ["alone", "in turns"].map(|how| format!("{name}/{how}"));
        evidence.twins("in turns with another", [&names[0], &names[1]], [&first_alone, &first.outputs]);
        if let Some(second) = second {
            let names = ["alone", "in turns"].map(|how| format!("{name}/the second, {how}"));
            evidence.twins("in turns with the one before", [&names[0], &names[1]], [&second_alone, &second.outputs]);
        }
    }
    Ok(())
}
