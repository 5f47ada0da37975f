//! `L2.signals`: forms of signals.
//!
//! It proves that a held row and a list of events act as the dense block that they stand for; that counts of spikes are the sums of the dense
//! output and are added to what is there; and that bits of spikes are one where the dense output is not nought. All to the bit. Each is repeated
//! in chunks of a few ticks, since each form is cut differently.

use crate::bench::{Bench, advance};
use crate::checks;
use crate::law::{Law, if_repeatable};
use crate::record::{Evidence, Level};
use isoform_core::dynamics::Domain;
use isoform_core::error::Result;
use isoform_core::signal::{Event, Signal, SignalMut, bytes_of_bits, pack};
use isoform_core::substrate::Run;

pub(super) const LAW: Law = Law {
    id: "L2.signals",
    title: "every form of a signal carries the same numbers",
    level: Level::L2,
    needs: "a class that repeats itself",
    requirement: if_repeatable,
    statistical: false,
    measure,
    judge: checks::judge,
};

const TICKS: usize = 40;
/// The ticks of a chunk, which do not divide all ticks.
const CHUNK: usize = 7;

#[expect(clippy::cast_possible_truncation, reason = "a few ticks, lanes and channels")]
fn measure(bench: &Bench<'_>, evidence: &mut Evidence) -> Result<()> {
    let mut chance = bench.chance();
    for (name, plan) in bench.houses()? {
        let program = plan.build()?;
        let run = Run::new().with_batch(bench.batch(2)).with_seed(bench.seed);
        let (input, output) = (run.input(&program, TICKS), run.output(&program, TICKS));
        let open = || bench.open(&program, &run);
        let cut = || bench.open(&program, &run.clone().with_max_ticks(CHUNK));
        let row = bench.drive(&mut chance, input.row());
        let mut held = vec![0.0; output.len()];
        open()?.advance(Signal::Held(&row), SignalMut::Dense(&mut held), TICKS)?;
        let spread = advance(&mut open()?, &row.repeat(TICKS), TICKS)?;
        evidence.twins("a held row and its block", [&format!("{name}/held"), &format!("{name}/block")], [&held, &spread]);
        cut()?.advance(Signal::Held(&row), SignalMut::Dense(&mut held), TICKS)?;
        let names = [format!("{name}/held, in parts"), format!("{name}/block")];
        evidence.twins("a held row in chunks and its block", [&names[0], &names[1]], [&held, &spread]);

        let [low, high] = bench.profile.limits.input;
        let loud = bench.drive(&mut chance, input.len());
        let mut x = vec![0.0; input.len()];
        let mut events = Vec::new();
        for (i, &value) in loud.iter().enumerate() {
            if (low..=high).contains(&0.0) && chance.happens(0.2) && value != 0.0 {
                x[i] = value;
                let (tick, rest) = (i / input.row(), i % input.row());
                let (batch, channel) = (rest / input.channels, rest % input.channels);
                events.push(Event { tick: tick as u32, batch: batch as u32, channel: channel as u32, value });
            }
        }
        let dense = if (low..=high).contains(&0.0) { &x } else { &loud };
        let y = advance(&mut open()?, dense, TICKS)?;
        if (low..=high).contains(&0.0) {
            let mut listed = vec![0.0; output.len()];
            open()?.advance(Signal::Events(&events), SignalMut::Dense(&mut listed), TICKS)?;
            evidence.twins("events and their block", [&format!("{name}/events"), &format!("{name}/dense")], [&listed, &y]);
            cut()?.advance(Signal::Events(&events), SignalMut::Dense(&mut listed), TICKS)?;
            let names = [format!("{name}/events, in parts"), format!("{name}/dense")];
            evidence.twins("events in chunks and their block", [&names[0], &names[1]], [&listed, &y]);
        }

        if program.outputs().iter().any(|o| o.port.domain != Domain::Spikes) {
            continue; // counts and bits are of spikes
        }
        let mut counts = vec![3; output.row()];
        let mut session = open()?;
        session.advance(Signal::Dense(&dense[..5 * input.row()]), SignalMut::Counts(&mut counts), 5)?;
        session.advance(Signal::Dense(&dense[5 * input.row()..]), SignalMut::Counts(&mut counts), TICKS - 5)?;
        // a device may hold one program at a time
        drop(session);
        let mut parts = vec![3; output.row()];
        cut()?.advance(Signal::Dense(dense), SignalMut::Counts(&mut parts), TICKS)?;
        let mut sums = vec![3.0_f32; output.row()];
        y.chunks_exact(output.row()).for_each(|y| sums.iter_mut().zip(y).for_each(|(s, v)| *s += v));
        let [counts, parts] = [counts, parts].map(|list| list.iter().map(|&c| c as f32).collect::<Vec<f32>>());
        evidence.twins("counts and sums", [&format!("{name}/counts"), &format!("{name}/sums")], [&counts, &sums]);
        let names = [format!("{name}/counts, in parts"), format!("{name}/sums")];
        evidence.twins("counts in chunks and sums", [&names[0], &names[1]], [&parts, &sums]);
        let bytes = bytes_of_bits(output.channels);
        let mut bits = vec![0xff; TICKS * output.batch * bytes];
        open()?.advance(Signal::Dense(dense), SignalMut::Bits(&mut bits), TICKS)?;
        let mut packed = vec![0; bits.len()];
        for (to, row) in packed.chunks_exact_mut(bytes).zip(y.chunks_exact(output.channels)) {
            pack(to, row);
        }
        let numbers = |bytes: &[u8]| bytes.iter().map(|&b| f32::from(b)).collect::<Vec<_>>();
        let names = [format!("{name}/bits"), format!("{name}/packed")];
        evidence.twins("bits and the dense output", [&names[0], &names[1]], [&numbers(&bits), &numbers(&packed)]);
        bits.fill(0xff);
        cut()?.advance(Signal::Dense(dense), SignalMut::Bits(&mut bits), TICKS)?;
        let names = [format!("{name}/bits, in parts"), format!("{name}/packed")];
        evidence.twins("bits in chunks and the dense output", [&names[0], &names[1]], [&numbers(&bits), &numbers(&packed)]);
    }
    Ok(())
}
