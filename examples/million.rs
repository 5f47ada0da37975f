//! A million neurons on every digital substrate: how fast, and with how much memory.
//!
//! cargo run --release --example million [LOCATOR…]

use isoform::formats::signal::{Dense, Signal};
use isoform::prelude::*;
use isoform::run::{Task, run};

const NEURONS: usize = 1 << 20;
const TICKS: usize = 16;

#[expect(clippy::print_stdout, reason = "an example shows what it does")]
#[expect(clippy::cast_precision_loss, reason = "figures for people")]
fn main() -> Result<()> {
    let named: Vec<String> = std::env::args().skip(1).collect();
    let locators = if named.is_empty() { ["cpu:", "wgpu:", "opencl:"].map(String::from).to_vec() } else { named };
    let mut net = Builder::new();
    let x = net.input("x", [NEURONS]);
    let spikes = net.node("lif", lif().with("tau", 2e-3), x);
    net.output("spikes", spikes);
    let data = (0..NEURONS * TICKS).map(|k| (k % NEURONS) as f32 * (4.0 / NEURONS as f32)).collect();
    let task = Task {
        program: net.build(Semantics::exact(1e-4))?,
        input: Signal::from(Dense { ticks: TICKS, batch: 1, channels: NEURONS, data, dt: None }),
        seed: 0,
        probes: Vec::new(),
        from: None,
        keep_state: false,
        counts: true,
    };
    println!("{NEURONS} leaky integrate-and-fire neurons, {TICKS} ticks\n");
    for locator in &locators {
        let substrate = match registry().open_str(locator) {
            Ok(substrate) => substrate,
            Err(absent) if absent.kind() == ErrorKind::NotFound => {
                println!("{locator:<20} NOT RUN: {absent}");
                continue;
            }
            Err(other) => return Err(other),
        };
        // the first run starts threads and drivers, which is no memory of a run
        run(substrate.as_ref(), &task, None)?;
        let done = run(substrate.as_ref(), &task, None)?;
        let rate = (NEURONS * TICKS) as f64 / done.report.wall.as_secs_f64();
        let spikes: f32 = done.output.data.iter().sum();
        let memory = done.memory.map_or_else(
            || String::from("memory unknown"),
            |m| {
                let [buffers, peak] = [m.buffers, m.peak].map(|b| b as f64 / f64::from(1 << 20));
                format!("{peak:.0} MiB for {buffers:.0} MiB of buffers: {:.2} times", m.ratio())
            },
        );
        println!("{locator:<20} {spikes} spikes, {:.2} updates a nanosecond, {memory}", rate * 1e-9);
    }
    Ok(())
}
