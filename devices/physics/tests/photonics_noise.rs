//! The noise of the twin of a mesh: that of its receivers, and none where it is switched off.

mod mesh;

use isoform_core::optical::{Detection, Encoding};
use isoform_core::session::Blocking;
use isoform_core::substrate::Run;
use isoform_physics::photonics::matrix::{Complex, Matrix};
use isoform_physics::photonics::receiver::{CHARGE, Receiver};
use mesh::{held, numbers, optical, single, twin};
use proptest::prelude::*;
use statrs::distribution::{ChiSquared, ContinuousCDF};

/// Variances over so many degrees of freedom, as parts of the true one, of which all of `trials` lie within these bounds but for the chance that a
/// normal number is four standard deviations off.
fn within(freedom: f64, trials: usize) -> [f64; 2] {
    let tail = 6.334e-5 / 2.0 / trials as f64;
    let chi = ChiSquared::new(freedom).expect("has freedom");
    [tail, 1.0 - tail].map(|p| chi.inverse_cdf(p) / freedom)
}

#[test]
fn the_widest_exemplar_has_the_noise_that_is_declared() {
    for options in ["", "modes=2", "modes=16", "modes=8&gain=2&loss=0.3", "modes=12&layout=triangle", "bandwidth=1e9"] {
        let twin = twin(options).expect("opens");
        let declared = twin.profile().medium.expect("declares").noise;
        let program = twin.exemplars().pop().expect("shows it");
        let mut session = Blocking::open(twin.as_ref(), &program, &Run::new()).expect("realises");
        // all light that may go in
        let x = vec![1.0; program.input_channels()];
        let found = held(&mut session, &x, 4096).into_iter().map(|(_, sigma)| sigma).fold(0.0, f64::max);
        eprintln!("{options:>24} noise {declared:.4e}, found {found:.4e}");
        let [low, high] = within(4095.0, 6 * program.output_channels());
        let ratio = (found / declared).powi(2);
        assert!(ratio > low && ratio < high, "{options}: {found} where {declared} is declared");
    }
}

const CASES: u32 = 8;
/// Modes of a generated mesh at most.
const MODES: usize = 5;

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(CASES) })]

    #[test]
    fn noise_is_that_of_the_receiver(
        size in 3..=MODES, seed in 0..10_000_u64, x in proptest::collection::vec(-1.0..1.0_f32, MODES),
        detection in prop_oneof![Just(Detection::Intensity), Just(Detection::Homodyne)],
    ) {
        const TICKS: usize = 1000;
        let (matrix, x) = (Matrix::haar(size, seed), &x[..size]);
        let receiver = Receiver::default();
        // one mesh of as many columns as modes, a tenth of a dB in each
        let through = 10.0_f64.powf(-0.1 * size as f64 / 10.0);
        let light = 1e-3 * through;
        let program = single(optical(&matrix, Encoding::Real, detection));
        let run = Run::new().with_seed(seed);
        let mut session = Blocking::open(twin("seed=4").expect("opens").as_ref(), &program, &run).expect("realises");
        let field = matrix.apply(&x.iter().map(|&v| f64::from(v).into()).collect::<Vec<_>>());
        let [low, high] = within((TICKS - 1) as f64, CASES as usize * 2 * MODES);
        for (o, (_, sigma)) in held(&mut session, x, TICKS).into_iter().enumerate() {
            let expected = match detection {
                Detection::Intensity => {
                    let current = light * field[o].norm_sqr();
                    (2.0 * CHARGE * (current + 1e-10) * 20e9 + receiver.thermal()).sqrt() / light
                }
                Detection::Homodyne => {
                    let current = light * field[o / 2].norm_sqr() + 1e-2;
                    (2.0 * CHARGE * (current + 2e-10) * 20e9 + 2.0 * receiver.thermal()).sqrt() / (2.0 * (1e-2 * light).sqrt())
                }
            };
            let ratio = (sigma / expected).powi(2);
            eprintln!("{detection:?} {o} of {size}: expected {expected:.4e}, found {sigma:.4e}; variance {low:.3} < {ratio:.3} < {high:.3}");
            prop_assert!(ratio > low && ratio < high, "{sigma} is not {expected}");
        }
    }

    #[test]
    fn without_noise_the_same_light_reads_the_same(
        size in 2..=MODES, seed in 0..10_000_u64, runs in proptest::array::uniform2(0..10_000_u64),
        x in proptest::collection::vec(-1.0..1.0_f32, MODES),
        detection in prop_oneof![Just(Detection::Intensity), Just(Detection::Homodyne)],
    ) {
        let program = single(optical(&Matrix::haar(size, seed), Encoding::Real, detection));
        let channels = program.output_channels();
        let read = |options: &str, run: u64| {
            let run = Run::new().with_seed(run);
            let mut session = Blocking::open(twin(options).expect("opens").as_ref(), &program, &run).expect("realises");
            session.run(&x[..size].repeat(3)).expect("runs")
        };
        let quiet = read("bandwidth=0", runs[0]);
        prop_assert!(quiet.chunks_exact(channels).all(|y| y == &quiet[..channels]) && quiet == read("bandwidth=0", runs[1]));
        let noisy = read("", runs[0]);
        prop_assert!(noisy[..channels] != noisy[channels..2 * channels] && noisy == read("", runs[0]));
        prop_assert!(runs[0] == runs[1] || noisy != read("", runs[1]));
    }

    #[test]
    fn two_quadratures_without_noise_are_the_power(
        size in 3..=MODES, seed in 0..10_000_u64, x in proptest::collection::vec(-1.0..1.0_f32, MODES), is_unitary in any::<bool>(),
    ) {
        let matrix = if is_unitary {
            Matrix::haar(size, seed)
        } else {
            let entries = numbers(2 * size * size, seed);
            // no singular value is above the root of the sum of the squares of all entries
            let scale = 1.0 / (2.0_f64.sqrt() * size as f64);
            let entry = |at: usize| Complex::new(f64::from(entries[2 * at]), f64::from(entries[2 * at + 1])) * scale;
            Matrix::from_fn(size, size, |r, c| entry(r * size + c))
        };
        // the same chip: what its phases are off is the same for both
        let read = |detection| {
            let program = single(optical(&matrix, Encoding::Real, detection));
            let mut session = Blocking::open(twin("seed=6&bandwidth=0").expect("opens").as_ref(), &program, &Run::new()).expect("realises");
            session.run(&x[..size]).expect("runs")
        };
        let (parts, powers) = (read(Detection::Homodyne), read(Detection::Intensity));
        for (o, (part, &power)) in parts.chunks_exact(2).zip(&powers).enumerate() {
            let (re, im, power) = (f64::from(part[0]), f64::from(part[1]), f64::from(power));
            // a part is a sum of as many products in single precision, rounded once more when it is scaled; squares double what it is off
            let most = (0..size).map(|c| matrix.at(o, c).norm() * f64::from(x[c].abs())).sum::<f64>();
            let limit = 2.0 * 4.0 * (size + 2) as f64 * f64::from(f32::EPSILON) / 2.0 * most * most;
            eprintln!("output {o}: {re:.6}² + {im:.6}² = {:.8}, power {power:.8}, within {limit:.1e}", re * re + im * im);
            prop_assert!((re * re + im * im - power).abs() <= limit);
        }
    }
}
