//! Does a culture respond to stimulation? Spikes between 5 and 50 ms after a stimulus against spikes after a sham, by permutation; and the same
//! judge on a control that cannot respond, which must fail.
//!
//! cargo run --release -p isoform-physics --example culture [LOCATOR…]

use isoform_conformance::statistics::permutation;
use isoform_core::error::Error;
use isoform_core::executor::block_on;
use isoform_core::locator::Locator;
use isoform_core::session::Session;
use isoform_core::signal::{Event, Signal, SignalMut};
use isoform_core::substrate::Run;
use isoform_physics::culture::electrodes::CHANNELS;
use isoform_physics::culture::program::program;
use isoform_physics::culture::response::{BIN, BINS, FROM, Histogram, groups, histogram, mean, order};
use isoform_physics::culture::statistics::Trains;
use isoform_physics::culture::{OPTIONS, open};

/// Ticks before the first trial.
const SETTLE: usize = 500;
/// Trials, half of them with a stimulus.
const TRIALS: usize = 200;
/// Ticks of a trial.
const PERIOD: usize = 250;
/// Channels that are stimulated together, one in eight of them.
const STIMULATED: u32 = 8;
/// Current of the first phase, µA.
const CURRENT: f32 = -2.0;
/// The level of the test.
const ALPHA: f64 = 0.01;

/// What all trials on a substrate showed.
struct Found {
    /// Spikes a second on a channel before the first trial.
    rate: f64,
    /// Mean spikes in each bin after a stimulus, and after a sham.
    evoked: Histogram,
    sham: Histogram,
    /// The chance of groups so far apart if nothing responds.
    p: f64,
}

/// Runs all trials on what a locator names.
fn experiment(locator: &str) -> Result<Found, Error> {
    let locator: Locator = locator.parse()?;
    let mut options = locator.reader();
    let substrate = open(&mut options)?;
    options.finish(&OPTIONS.iter().map(|(key, _)| *key).collect::<Vec<_>>())?;
    let mut session = block_on(Session::open(substrate.as_ref(), &program()?, &Run::new()))?.blocking();
    let pulses: Vec<Event> =
        (0..STIMULATED).map(|i| Event { tick: 0, batch: 0, channel: i * CHANNELS as u32 / STIMULATED, value: CURRENT }).collect();

    let mut listen = |stimulus: &[Event], ticks: usize, trains: &mut Trains| {
        let mut spikes = vec![0.0; ticks * CHANNELS];
        session.advance(Signal::Events(stimulus), SignalMut::Dense(&mut spikes), ticks)?;
        for row in spikes.chunks_exact(CHANNELS) {
            trains.add((0..CHANNELS).filter(|&c| row[c] > 0.0));
        }
        Ok::<_, Error>(())
    };
    let mut before = Trains::new(CHANNELS);
    listen(&[], SETTLE, &mut before)?;
    let mut trials: Vec<(bool, Histogram)> = Vec::new();
    for stimulated in order(TRIALS, 1) {
        let mut after = Trains::new(CHANNELS);
        listen(if stimulated { &pulses } else { &[] }, PERIOD, &mut after)?;
        trials.push((stimulated, histogram(&after.totals)));
    }
    let [evoked, sham] = groups(&trials);
    let p = permutation::same(&[&evoked, &sham], BINS, 1);
    Ok(Found { rate: 1e3 * before.rate(0..CHANNELS), evoked: mean(&evoked), sham: mean(&sham), p })
}

#[expect(clippy::print_stdout, reason = "an example shows what it does")]
fn main() -> Result<(), Error> {
    let named: Vec<String> = std::env::args().skip(1).collect();
    let locators = if named.is_empty() {
        ["twin:culture?seed=1", "twin:culture?seed=1&delays=on&plasticity=on", "twin:culture?seed=1&source=poisson"]
            .map(String::from)
            .to_vec()
    } else {
        named
    };
    println!(
        "{STIMULATED} of {CHANNELS} electrodes give {CURRENT} uA in half of {TRIALS} trials of {PERIOD} ms, in an order that is drawn."
    );
    let mut failed = Vec::new();
    for locator in &locators {
        let found = experiment(locator)?;
        println!("\n{locator}: {:.0} spikes a second on a channel before the first trial", found.rate);
        println!("  ms after   stimulus   sham   spikes of all channels in {BIN} ms");
        for (i, (evoked, sham)) in found.evoked.iter().zip(&found.sham).enumerate() {
            let from = FROM + i * BIN;
            println!(
                "  {:>3}-{:<3}  {evoked:>9.1} {sham:>7.1}   {}",
                from,
                from + BIN,
                "#".repeat((evoked / 3.0).round() as usize)
            );
        }
        let responds = found.p < ALPHA;
        println!("  p = {:.4}: {}", found.p, if responds { "it responds" } else { "no response is found" });
        if responds == locator.contains("source=poisson") {
            failed.push(locator.as_str());
        }
    }
    if failed.is_empty() {
        println!("\nThe cultures respond; the control, which does not listen, fails the same test.");
        Ok(())
    } else {
        Err(Error::fault(format!("the judge was wrong about, or the culture did not respond in, {}", failed.join(" and "))))
    }
}
