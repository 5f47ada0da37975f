//! The driver at a line to the twin: what is counted where, boards that start or die, and the ends of messages.

use super::*;
use isoform_core::fixed_point::{Operation, SinglePrecision, Stepper, Straight};
use isoform_core::neuron::Neuron;
use isoform_core::session::Blocking;
use isoform_core::signal::{Signal, SignalMut};
use isoform_serial::error::time;
use isoform_serial::instrument::Instrument;
use isoform_serial::lines::Lines;
use isoform_serial::transport::{Memory, Twin, VirtualClock};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

#[test]
fn only_spikes_are_counted_by_the_board() {
    let counts = |neuron: Neuron| {
        let clock = VirtualClock::default();
        let board = BoardTwin::new(Numbers::Fixed(q24()), &library()).expect("has the library");
        let line = Lines::one(Box::new(Memory::on(clock, "board", Box::new(board))));
        let board = Instrument::open(Box::new(BoardDriver::new()), line).expect("answers");
        let program = Program::single("n", neuron, [1], Semantics::exact(1e-3)).expect("valid");
        let mut counts = [7];
        let mut session = Blocking::open(&board, &program, &Run::new()).expect("loads");
        session.advance(Signal::Held(&[1.5]), SignalMut::Counts(&mut counts), 50).expect("runs");
        counts[0]
    };
    // 1.5 (1 - e^{-t/10}) at tick t: below one up to the tenth, of which nothing whole is added, and below two for ever
    assert_eq!(counts(li().with("tau", 1e-2)), 7 + 40);
    // it crosses one at its eleventh tick and begins again at nought: at 11, 22, 33, 44
    assert_eq!(counts(lif().with("tau", 1e-2)), 7 + 4);
}

/// A board that hears nothing until some moment.
#[derive(Debug)]
struct Deaf {
    board: BoardTwin,
    until: Arc<Mutex<Duration>>,
}

impl Deaf {
    fn hears(&self, now: Duration) -> bool {
        now >= *self.until.lock().expect("nobody has failed")
    }
}

impl Twin for Deaf {
    fn receive(&mut self, bytes: &[u8], now: Duration) {
        if self.hears(now) {
            self.board.receive(bytes, now);
        }
    }

    fn transmit(&mut self, now: Duration, out: &mut VecDeque<u8>) {
        self.board.transmit(now, out);
    }

    fn next(&self) -> Option<Duration> {
        self.board.next()
    }

    fn restart(&mut self, now: Duration) {
        self.board.restart(now);
    }
}

fn deaf(until: Duration) -> (Result<Instrument>, Arc<Mutex<Duration>>, VirtualClock) {
    let (clock, until) = (VirtualClock::default(), Arc::new(Mutex::new(until)));
    let board = BoardTwin::new(Numbers::Fixed(q24()), &library()).expect("has the library");
    let line = Memory::on(clock.clone(), "board", Box::new(Deaf { board, until: Arc::clone(&until) }));
    (Instrument::open(Box::new(BoardDriver::new()), Lines::one(Box::new(line))), until, clock)
}

#[test]
fn a_board_that_is_starting_is_waited_for() {
    for millis in [300, 1200, 2000, 3000, 4000] {
        deaf(Duration::from_millis(millis)).0.unwrap_or_else(|e| panic!("a board that starts for {millis} ms: {e}"));
    }
    let (never, _, clock) = deaf(Duration::MAX);
    let error = never.expect_err("is dead");
    assert!(error.to_string().contains(&format!("did not come within {}:", time(clock.now()))), "{error}");
    assert!(clock.now() < Duration::from_secs(6), "{:?}", clock.now());
}

#[test]
fn a_board_that_dies_is_waited_for_as_long_as_is_said() {
    let (board, until, clock) = deaf(Duration::ZERO);
    let board = board.expect("answers");
    let program = Program::single("n", lif().with("tau", 1e-2), [1], Semantics::exact(1e-3)).expect("valid");
    let mut session = Blocking::open(&board, &program, &Run::new()).expect("loads");
    let mut counts = [0];
    session.advance(Signal::Held(&[1.5]), SignalMut::Counts(&mut counts), 5000).expect("runs");
    // a spike each eleven ticks, across the cuts between requests
    assert_eq!(counts, [454]);
    *until.lock().expect("nobody has failed") = Duration::MAX;
    let start = clock.now();
    let error = session.advance(Signal::Held(&[1.5]), SignalMut::Counts(&mut counts), 5000).expect_err("is dead");
    let took = clock.now() - start;
    assert!(error.to_string().contains(&format!("did not come within {}:", time(took))), "{error} after {took:?}");
    // four tries of 2000 ticks, each of 0.4 s and ten times as long as the board took
    assert!(took < Duration::from_secs(5), "{took:?}");
}

#[test]
fn a_carriage_return_at_the_end_of_a_block_belongs_to_it() {
    let mut board = BoardTwin::new(Numbers::Fixed(q24()), &library()).expect("has the library").without_check();
    // 13 in Q24 ends in 0x0d; behind the block CR and LF end the message, as LF alone does
    for end in ["\n", "\r\n"] {
        let message = [b"MEM:DATA 3,#14\x00\x00\x00\r".as_slice(), end.as_bytes(), b"MEM:DATA? 3,1\r\nSYST:ERR?\n"].concat();
        board.receive(&message, Duration::ZERO);
        let mut out = VecDeque::new();
        board.transmit(Duration::from_secs(1), &mut out);
        assert_eq!(Vec::from(out), b"#14\x00\x00\x00\r\n0,\"No error\"\n", "{end:?}");
    }
}

/// A board without check sums that says of each run that so many results were cut.
#[derive(Debug)]
struct Boasts {
    board: BoardTwin,
    clipped: &'static str,
}

impl Twin for Boasts {
    fn receive(&mut self, bytes: &[u8], now: Duration) {
        self.board.receive(bytes, now);
    }

    fn transmit(&mut self, now: Duration, out: &mut VecDeque<u8>) {
        let mut said = VecDeque::new();
        self.board.transmit(now, &mut said);
        let said = said.make_contiguous();
        let honest = b"4,0,#";
        match said.windows(honest.len()).position(|w| w == honest) {
            None => out.extend(said.iter()),
            Some(at) => {
                out.extend(said[..at + 2].iter());
                out.extend(self.clipped.bytes());
                out.extend(said[at + 3..].iter());
            }
        }
    }

    fn next(&self) -> Option<Duration> {
        self.board.next()
    }

    fn restart(&mut self, now: Duration) {
        self.board.restart(now);
    }
}

#[test]
fn no_more_results_are_cut_than_there_are() {
    let clipped = |clipped: &'static str| {
        let board = BoardTwin::new(Numbers::Fixed(q24()), &library()).expect("has the library").without_check();
        let line = Memory::on(VirtualClock::default(), "board", Box::new(Boasts { board, clipped }));
        let board = Instrument::open(Box::new(BoardDriver::new()), Lines::one(Box::new(line))).expect("answers");
        let program = Program::single("n", lif().with("tau", 1e-2), [2], Semantics::exact(1e-3)).expect("valid");
        let mut session = Blocking::open(&board, &program, &Run::new()).expect("loads");
        session.advance(Signal::Dense(&[0.5; 8]), SignalMut::Dense(&mut [0.0; 8]), 4).map(|report| report.clipped)
    };
    // two channels of three coefficients and of eight inputs, states, parameters and outputs, for four ticks
    let most = 4 * 2 * (2 * 3 + 16 * 8);
    assert_eq!((most, clipped("1072").expect("may be")), (1072, 1072));
    for impossible in ["1073", "4294967295", "9999999999999999999"] {
        let error = clipped(impossible).expect_err(impossible);
        assert_eq!(error.kind(), isoform_core::error::ErrorKind::Protocol, "{error}");
        assert!(error.to_string().contains(&format!("{impossible} results were cut of 1072")), "{error}");
    }
}

#[test]
fn the_functions_of_the_library_have_fewer_results_than_may_be_cut() {
    let results = |code: &Straight<SinglePrecision>| {
        let is_result = |o: &&Operation<f32>| !matches!(o, Operation::Input(_) | Operation::Constant(_));
        code.operations().iter().filter(is_result).count()
    };
    for function in library() {
        let step = Stepper::new(function.as_ref(), SinglePrecision).expect("boards have it");
        let own =
            step.test().map_or(0, results) + results(step.land(false)).max(results(step.land(true))) + results(step.update());
        let most = image::OWN * step.widths().iter().sum::<usize>();
        assert!(own * 4 <= most, "{}: {own} of {most}", step.id());
        assert!(results(step.flow()) <= 2 * step.coefficients(), "{}", step.id());
    }
}
