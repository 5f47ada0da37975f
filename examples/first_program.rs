//! The program of the README: two neurons that keep each other silent.
//!
//! cargo run --release --example first_program

#[expect(clippy::print_stdout, reason = "an example shows what it does")]
fn main() -> isoform::core::error::Result<()> {
    // the README shows what stands between these two lines
    use isoform::prelude::*;

    let mut net = Program::builder();
    let x = net.input("x", [2]);
    let echo = net.later("neurons");
    let recurrent = net.node("recurrent", Dense::new([[0.0, -1.0], [-1.0, 0.0]].into(), None)?, echo);
    let spikes = net.node("neurons", lif().with("tau", 20e-3).with("v_threshold", 0.5), x + recurrent);
    net.output("spikes", spikes);
    let program = net.build(Semantics::exact(1e-3))?;

    let substrate = registry().open_str("cpu:")?; // swap the medium by changing this string
    let mut session = Blocking::open(substrate.as_ref(), &program, &Run::new())?;
    let y = session.run(&[1.0, 0.0, 1.0, 0.0])?;
    // the README shows what stands between these two lines
    println!("two ticks of two neurons: {y:?}");
    Ok(())
}
