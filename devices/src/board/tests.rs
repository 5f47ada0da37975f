use super::operation::{Listing, Operation};
use super::*;
use isoform_core::bound::Accuracy;
use isoform_core::builder::delay;
use isoform_core::fixed_point::{FixedStep, Flags, Format};
use isoform_core::functions::{cuba_lif, li, library, lif};
use isoform_core::linear::{Dense, Pooling, Sparse, SumPool2d};
use isoform_core::program::Program;
use isoform_core::semantics::{Preset, Semantics};
use isoform_core::state::State;
use isoform_core::substrate::Run;
use isoform_core::witness::{Judged, Witness};
use isoform_serial::driver::Driver as _;
use proptest::prelude::*;

mod document;
mod line;

const EXAMPLE: &str = "NUM Q24;CELLS 1200;CODE 512;BLOCK 1024;RANGE -32,32;FUNC isoform.lif/1 1 1 5 1,isoform.li/1 1 1 3 1;OPS COPY,SUM,NEURON,LINEAR,READ,ABSORB;MODES 1;CHECK 1";

fn q24() -> Format {
    Format::new(24).expect("is a format")
}

fn machine(numbers: Numbers, cells: usize) -> Machine {
    Machine::new(numbers, &library(), cells, 4096).expect("boards have the library")
}

fn capabilities(machine: &Machine) -> Capabilities {
    machine.capabilities(1024, [-32.0, 32.0])
}

/// A machine with a program in it, in the state after a reset.
fn loaded(program: &Program, numbers: Numbers) -> (Machine, Image) {
    let mut machine = machine(numbers, 4000);
    let image = Image::new(program, &capabilities(&machine)).expect("fits");
    machine.write(0, image.memory()).expect("fits");
    machine.set_program(&image.code()).expect("is a program");
    (machine, image)
}

fn words(numbers: Numbers, x: &[f32]) -> Vec<u32> {
    x.iter().map(|&v| numbers.encode(f64::from(v)).expect("in range")).collect()
}

#[test]
fn capabilities_print_as_they_were_read() {
    let read: Capabilities = EXAMPLE.parse().expect("is the example of the protocol");
    assert_eq!(read.to_string(), EXAMPLE);
    assert_eq!((read.numbers, read.cells, read.range), (Numbers::Fixed(q24()), 1200, [-32.0, 32.0]));
    assert_eq!(read.function("isoform.li/1"), Some(1));
    let own = capabilities(&machine(Numbers::F32, 100));
    assert_eq!(own.to_string().parse(), Ok(own));
}

#[test]
fn hostile_capabilities_are_refused() {
    let bad = |from: &str, to: &str| EXAMPLE.replacen(from, to, 1).parse::<Capabilities>().expect_err(to).to_string();
    assert!(bad("Q24", "Q31").contains("Q0 to Q30"));
    assert!(bad("Q24", "Q+4").contains("NUM"));
    assert!(bad("1200", "65536").contains("CELLS"));
    assert!(bad("1024", "7").contains("BLOCK is 7"));
    assert!(bad("1200", "-1").contains("CELLS"));
    assert!(bad("-32,32", "32,-32").contains("RANGE"));
    assert!(bad("-32,32", "-32,NaN").contains("RANGE"));
    assert!(bad("1 1 5 1", "1 1 5").contains("FUNC"));
    assert!(bad("-32,32", "-32,200").contains("RANGE reaches to 200, but the numbers Q24 end at 127.99"));
    assert!(bad("-32,32", "-128.5,32").contains("RANGE reaches to -128.5"));
    assert!(bad("Q24", "Q30").contains("RANGE reaches to -32, but the numbers Q30 end at 1.99"));
    assert!(bad("li/1 1 1 3 1", "lif/1 1 1 5 1").contains("FUNC holds isoform.lif/1 twice"));
    assert!(bad("1 1 5 1", "9 9 9 9").contains("FUNC gives isoform.lif/1 the shape 9 9 9 9, which is 1 1 5 1"));
    assert!(bad("SUM,", "SUM,COPY,").contains("OPS holds COPY twice"));
    assert!(bad("SUM", "SOME").contains("OPS holds \"SOME\", which is no operation; known are COPY, SUM"));
    assert!(bad("MODES 1", "CHECK 1").contains("twice"));
    assert!(bad(";CHECK 1", "").contains("CHECK is missing"));
    assert!(bad("CODE", "CORE").contains("CORE"));
    assert!(bad("lif", "l\u{e9}f").contains("ASCII"));
}

/// A neuron that feeds itself through a late edge, a delay and linear maps of two kinds.
fn recurrent(semantics: Semantics) -> Program {
    let mut net = Program::builder();
    let x = net.input("x", [4]);
    let echo = net.later("back");
    let sparse = Sparse::new([4], [3], [(0, 0, 0.7), (1, 1, -0.5), (2, 3, 0.9), (2, 2, 0.35)], Some([0.01, 0.0, -0.02].into()));
    let fc = net.node("fc", sparse.expect("valid"), x);
    let neuron =
        cuba_lif().with("tau_syn", [4e-3, 5e-3, 6e-3]).with("tau_mem", 8e-3).with("v_threshold", 0.2).with("v_reset", -0.05);
    let n = net.node("n", neuron, fc + echo);
    let dense = Dense::new([[0.2, -0.3, 0.1], [0.4, 0.0, 0.3], [-0.2, 0.5, 0.1]].into(), None).expect("valid");
    let w = net.node("w", dense, n.clone());
    let late = net.node("late", delay([1e-3, 3e-3, 0.0]), w);
    let _ = net.node("back", delay(2e-3), late);
    let m = net.node("m", li().with("tau", 5e-3), n.clone());
    net.output("z", n);
    net.output("v", m);
    net.build(semantics).expect("valid")
}

#[test]
fn a_neuron_on_the_machine_is_the_step_to_the_bit() {
    let (tau, theta) = ([2e-3, 7e-3, 20e-3], [0.4, 0.9, 1.0]);
    let mut net = Program::builder();
    let x = net.input("x", [3]);
    let n = net.node("n", lif().with("tau", tau).with("v_threshold", theta).with("v_leak", 0.1), x);
    net.output("y", n);
    for preset in [Preset::Exact, Preset::Norse, Preset::Spyx] {
        let semantics = preset.semantics(1e-3);
        let program = net.clone().build(semantics).expect("valid");
        let numbers = Numbers::Fixed(q24());
        let (mut machine, image) = loaded(&program, numbers);
        let function = lif().function().clone();
        let step = FixedStep::new(function.as_ref(), q24()).expect("boards have it");
        let flags = Flags::from(&semantics);
        let constants: Vec<_> = (0..3)
            .map(|c| {
                let p = [tau[c], 1.0, 0.1, theta[c], 0.0];
                let k = step.encode_coefficients(&function.coefficients(&semantics, &p)).expect("fits");
                (k, step.encode_parameters(flags, &p).expect("fits"))
            })
            .collect();
        let (mut states, mut work, mut spikes) = ([[0]; 3], step.work(), 0);
        for tick in 0..10_000_u32 {
            let row = [0, 1, 2].map(|c| 0.7 + 0.9 * ((tick * (c + 3)) as f32 * 0.013).sin());
            let row = words(numbers, &row);
            assert_eq!(machine.tick(&row), Ok(0));
            for c in 0..3 {
                let (k, p) = &constants[c];
                let mut y = [0];
                step.tick(flags, [&[row[c].cast_signed()], k, p], &mut states[c], &mut y, &mut work);
                assert_eq!(machine.outputs()[c].cast_signed(), y[0], "{preset}, tick {tick}");
                spikes += usize::from(y[0] != 0);
            }
            let kept = machine.read(image.kept().start, 3).expect("is there");
            assert_eq!(kept, states.map(|[s]| s.cast_unsigned()), "{preset}, tick {tick}");
        }
        assert!(spikes > 500, "{preset}: {spikes}");
    }
}

/// Runs a program on the machine, tick by tick, beside the witness.
fn witnessed(program: &Program, numbers: Numbers, ticks: u64) -> Judged {
    let accuracy = match numbers {
        Numbers::F32 => Accuracy::single(),
        Numbers::Fixed(format) => Accuracy::fixed(format),
    };
    let (mut machine, image) = loaded(program, numbers);
    let mut witness = Witness::new(program, &Run::new(), &accuracy);
    let (mut total, mut before) = (Judged::default(), State::initial(program, 1));
    for tick in 0..ticks {
        let channels = machine.channels()[0];
        let x: Vec<f32> = (0..channels).map(|c| 0.9 + ((tick as f32) * 0.17 + c as f32).sin()).collect();
        assert_eq!(machine.tick(&words(numbers, &x)), Ok(0));
        let y: Vec<f32> = machine.outputs().iter().map(|&w| numbers.decode(w) as f32).collect();
        let kept = machine.read(image.kept().start, image.kept().len()).expect("is there");
        let after = image.state(program, tick + 1, kept).expect("fits");
        total.add(witness.judge(&before, &x, &y, &after).expect("fits"));
        before = after;
    }
    total
}

#[test]
fn a_recurrent_program_with_delays_follows_the_definition() {
    for preset in [Preset::Exact, Preset::Norse, Preset::Snntorch, Preset::Rockpool, Preset::Lava] {
        for numbers in [Numbers::Fixed(q24()), Numbers::F32] {
            let mut semantics = preset.semantics(1e-3);
            if preset == Preset::Lava {
                // a platform does not have every neuron; its answers are what counts here
                semantics = semantics.with_input_delay(2);
            }
            let program = recurrent(semantics);
            let judged = witnessed(&program, numbers, 400);
            assert!(judged.mismatches.is_empty(), "{preset} in {numbers}: {:?}", judged.mismatches.first());
            assert!(judged.compared > 400 * 20 && judged.worst > 0.1, "{preset} in {numbers}: {judged:?}");
        }
    }
}

#[test]
fn sums_of_rectangles_and_copies_follow_the_definition() {
    let mut net = Program::builder();
    let x = net.input("x", [1, 4, 4]);
    let pool = SumPool2d::new([1, 4, 4], Pooling { kernel: [2, 2], stride: [2, 2], padding: [0, 0] }).expect("valid");
    let n = net.node("n", pool, x.clone());
    net.output("y", n.clone());
    net.output("again", n);
    net.output("x", x);
    let program = net.build(Semantics::exact(1e-3)).expect("valid");
    let judged = witnessed(&program, Numbers::Fixed(q24()), 50);
    assert!(judged.mismatches.is_empty(), "{:?}", judged.mismatches.first());
}

#[test]
fn a_state_goes_to_the_board_and_back_in_the_middle_of_a_run() {
    let program = recurrent(Preset::Exact.semantics(1e-3));
    let numbers = Numbers::Fixed(q24());
    let (mut first, image) = loaded(&program, numbers);
    let row = words(numbers, &[1.0, 0.5, 0.8, 1.5]);
    for _ in 0..37 {
        first.tick(&row).expect("fits");
    }
    let kept = first.read(image.kept().start, image.kept().len()).expect("is there");
    let state = image.state(&program, 37, kept).expect("fits");
    let (mut second, _) = loaded(&program, numbers);
    let patch = image.load(&program, &state).expect("in range");
    second.write(patch.first, &patch.words).expect("fits");
    let again = second.read(image.kept().start, image.kept().len()).expect("is there");
    assert_eq!(image.state(&program, 37, again).expect("fits"), state);
    for tick in 0..50 {
        first.tick(&row).expect("fits");
        second.tick(&row).expect("fits");
        assert_eq!(first.outputs(), second.outputs(), "tick {tick}");
    }
    let mut far = state;
    far.block_mut("n", "v").expect("is there").values[0] = 1e6;
    assert!(image.load(&program, &far).expect_err("beyond").to_string().contains("Q24"));
}

#[test]
fn a_tuned_node_is_laid_out_as_if_it_had_been_so() {
    let program = recurrent(Preset::Exact.semantics(1e-3));
    let (mut machine, image) = loaded(&program, Numbers::Fixed(q24()));
    let changed = program.with_parameter("n", "tau_mem", 3e-3.into()).expect("is there");
    let (index, node) = changed.node("n").expect("is there");
    for patch in image.tune(index, node).expect("in range") {
        machine.write(patch.first, &patch.words).expect("fits");
    }
    let (fresh, _) = loaded(&changed, Numbers::Fixed(q24()));
    assert_eq!(machine.read(0, 4000), fresh.read(0, 4000));
    let far = program.with_parameter("w", "weight", vec_of(200.0)).expect("is there");
    let (index, node) = far.node("w").expect("is there");
    assert!(image.tune(index, node).expect_err("beyond").to_string().contains("node \"w\": a weight is 200"));
}

fn vec_of(value: f64) -> isoform_core::tensor::Tensor {
    [[value; 3]; 3].into()
}

#[test]
fn what_does_not_fit_is_refused_by_name() {
    let program = recurrent(Preset::Exact.semantics(1e-3));
    let board = capabilities(&machine(Numbers::Fixed(q24()), 4000));
    let refuse = |program: &Program, board: &Capabilities| {
        let error = Image::new(program, board).expect_err("is refused");
        assert_eq!(error.kind(), isoform_core::error::ErrorKind::Unsupported, "{error}");
        error.to_string()
    };
    let small = Capabilities { cells: 60, ..board.clone() };
    assert!(refuse(&program, &small).contains("cells"));
    let short = Capabilities { code: 20, ..board.clone() };
    assert!(refuse(&program, &short).contains("words of operations"));
    let mut other = board.clone();
    other.functions.retain(|f| f.id != "isoform.cubalif/1");
    assert!(refuse(&program, &other).contains("node \"n\": the board has no isoform.cubalif/1"));
    let mut other = board.clone();
    other.operations.retain(|o| o != "LINEAR");
    assert!(refuse(&program, &other).contains("no operation LINEAR"));
    let chip = recurrent(Preset::Exact.semantics(1e-3)).with_semantics(Preset::Events.semantics(1e-3)).expect("valid");
    assert!(refuse(&chip, &board).contains("locate spikes"));
    let far = program.with_parameter("n", "v_threshold", 500.0.into()).expect("is there");
    assert!(refuse(&far, &board).contains("node \"n\": v_threshold is 500"));
    // what acts through the coefficients alone may be beyond the numbers
    let slow = program.with_parameter("n", "tau_mem", 500.0.into()).expect("is there");
    assert!(Image::new(&slow, &board).is_ok());
}

#[test]
fn refused_requests_have_the_codes_of_the_protocol() {
    let mut machine = machine(Numbers::Fixed(q24()), 100);
    assert_eq!(machine.write(99, &[1, 2]).expect_err("outside").code(), -222);
    assert_eq!(machine.read(usize::MAX, 2).expect_err("outside").code(), -222);
    assert_eq!(machine.set_program(&[0; 5000]).expect_err("too long").code(), -225);
    let bad: [&[u16]; 9] = [
        &[],
        &[0, 0, 0, 0, 1, 0],
        &[0, 101, 0, 0, 0, 0],
        &[0, 0, 0, 0, 0],
        &[0, 0, 0, 0, 0, 7, 0],
        &[0, 0, 0, 0, 0, 0, 0],
        &[0, 0, 0, 0, 0, 1, 0, 99, 2, 0],
        &[0, 0, 0, 0, 0, 6, 0, 9, 1, 0, 0, 0],
        &[0, 0, 0, 0, 0, 3, 0, 8, 1, 0, 0, 0, 0, 0, 0],
    ];
    for words in bad {
        assert_eq!(machine.set_program(words).expect_err("no program").code(), -285, "{words:?}");
    }
    machine.set_program(&[0, 2, 2, 1, 0, 2, 2, 1, 2, 0, 1, 0]).expect("adds two numbers");
    assert_eq!(machine.tick(&[1]).expect_err("too short").code(), -222);
    assert_eq!(machine.tick(&[i32::MAX.cast_unsigned(), 1]), Ok(1));
    assert_eq!(machine.outputs(), [i32::MAX.cast_unsigned()]);
    machine.reset();
    assert_eq!((machine.channels(), machine.read(0, 3)), ([0, 0], Ok(&[0, 0, 0][..])));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn hostile_operations_neither_panic_nor_reach_outside(
        codes in prop::collection::vec((1_u16..8, prop::collection::vec(prop_oneof![0_u16..8, 0_u16..70, Just(u16::MAX)], 3..14)), 0..6),
        memory in prop::collection::vec(any::<u32>(), 64),
        single: bool,
    ) {
        let numbers = if single { Numbers::F32 } else { Numbers::Fixed(q24()) };
        let mut machine = machine(numbers, 64);
        machine.write(0, &memory).expect("fits");
        // one operation after the other, so that many of them are good
        for (code, operands) in codes {
            for take in 3..=operands.len() {
                let words = [&[0, 0, 0, 0, 0, code][..], &operands[..take], &[0]].concat();
                match machine.set_program(&words) {
                    Ok(()) => {
                        machine.tick(&[]).expect("takes nothing");
                        machine.tick(&[]).expect("takes nothing");
                        let widths: Vec<[usize; 4]> = capabilities(&machine).functions.iter().map(|f| f.widths).collect();
                        let listing = Listing::read(&words, 64, &widths).expect("was read before");
                        prop_assert_eq!(listing.words(), words);
                    }
                    Err(error) => prop_assert_eq!(error.code(), -285),
                }
            }
        }
    }

    #[test]
    fn hostile_text_is_refused_without_a_panic(text in "[A-Z0-9 ,;.=-]{0,80}", cut in 0_usize..180, size in 0_usize..3000) {
        let _ = text.parse::<Capabilities>();
        // what is a board has a profile
        let resized = EXAMPLE.replace("1024", &size.to_string()).replace("1200", &(size * 7 % 65_536).to_string());
        if let Ok(board) = resized.parse::<Capabilities>() {
            prop_assert!(BoardDriver::knowing(board).profile().limits.channels > 0);
        }
        let broken = format!("{}{text}", EXAMPLE.get(..cut).unwrap_or(EXAMPLE));
        if let Ok(read) = broken.parse::<Capabilities>() {
            prop_assert_eq!(read.to_string().parse::<Capabilities>(), Ok(read));
        }
    }
}

#[test]
fn operations_have_the_words_of_the_protocol() {
    let neuron = Operation::Neuron { f: 1, flags: Flags::default(), n: 2, x: vec![3], s: 4, c: 5, p: 6, y: vec![u16::MAX] };
    let listing = Listing { inputs: [0, 2], outputs: [9, 1], operations: vec![neuron] };
    assert_eq!(listing.words(), [0, 2, 9, 1, 0, 3, 1, 0, 2, 3, 4, 5, 6, 65535, 0]);
}
