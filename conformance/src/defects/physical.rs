//! Devices with physics of their own, healthy and not: one with a calibration that ends, and one that shows a memristor.

use super::Subject;
use super::noisy::white;
use crate::media::{Blur, Blurred, Colour};
use async_trait::async_trait;
use isoform_core::calibration::{Calibration, Certificate};
use isoform_core::dynamics::{Dynamics, Quantity, Signature};
use isoform_core::error::{Error, ErrorKind, Result};
use isoform_core::neuron::Neuron;
use isoform_core::profile::{Facets, Profile};
use isoform_core::program::Program;
use isoform_core::report::Report;
use isoform_core::scalar::Scalar;
use isoform_core::semantics::{Decay, Semantics};
use isoform_core::signal::{Signal, SignalMut};
use isoform_core::substrate::{Memory, Plasticity, Realization, Rest, Run, Substrate, Tuning};
use std::sync::Arc;
use std::time::Duration;

/// Devices of which each is wrong in one way.
pub const PHYSICAL: &[Subject] = &[
    Subject {
        name: "a calibration that is never over",
        law: Some("L3.calibration"),
        make: |s| Arc::new(Dated::new(s, Habit::Careless)),
    },
    Subject {
        name: "a calibration that ends unseen in a call",
        law: Some("L3.calibration"),
        make: |s| Arc::new(Dated::new(s, Habit::Hasty)),
    },
    Subject {
        name: "a calibration that cannot be made again",
        law: Some("L3.calibration"),
        make: |s| Arc::new(Dated::new(s, Habit::Stuck)),
    },
    Subject {
        name: "a calibration that spoils the gain",
        law: Some("L3.calibration"),
        make: |s| Arc::new(Dated::new(Arc::new(Blurred::new(s, white())), Habit::Spoiling)),
    },
    Subject { name: "a memristor that leaks", law: Some("L2.pinched"), make: |s| Arc::new(Films::new(s, 1.0, 1e9, 1e-4)) },
    Subject {
        name: "a memristor that follows its voltage",
        law: Some("L2.pinched"),
        make: |s| Arc::new(Films::new(s, 200.0, 5e-3, 0.0)),
    },
    Subject {
        name: "a memristor that moves at half its speed",
        law: Some("L2.pinched"),
        make: |s| {
            Arc::new(Blurred::new(
                Arc::new(Films::new(s, 5.0, 1e9, 0.0).with_speed(0.5)),
                Blur::honest(Colour::White, 1e-5, 5e-5),
            ))
        },
    },
];

/// How a device keeps to the date of its calibration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Habit {
    /// It does what it says.
    Honest,
    /// It works on when its calibration is over.
    Careless,
    /// It looks at its calibration when a call begins, and works on when it ends during it.
    Hasty,
    /// It makes no new calibration.
    Stuck,
    /// A new calibration leaves its outputs a fifth too large.
    Spoiling,
    /// A calibration no longer holds in the last third of its time, in which outputs are a fifth too large.
    Fading,
}

/// A substrate with a calibration that holds for ten seconds and was made when the clock of the device stood at three. Of each call it reports one
/// sample as clipped.
#[derive(Debug)]
pub struct Dated {
    inner: Arc<dyn Substrate>,
    habit: Habit,
}

impl Dated {
    /// A substrate with a calibration.
    #[must_use]
    pub fn new(inner: Arc<dyn Substrate>, habit: Habit) -> Self {
        Self { inner, habit }
    }
}

#[derive(Debug)]
struct Dating {
    inner: Box<dyn Realization>,
    habit: Habit,
    dt: f64,
    now: f64,
    made: f64,
}

/// Seconds that a calibration holds, and the clock when a program is realised.
const VALID: f64 = 10.0;
const BEGIN: f64 = 3.0;
/// The share of its time after which a calibration fades.
const FADED: f64 = 2.0 / 3.0;
/// What a spoilt gain makes of an output.
const SPOILT: f32 = 1.2;

impl Dating {
    fn in_force(&self) -> Certificate {
        Certificate {
            id: Certificate::id_of(&[self.made]),
            method: String::from("a date"),
            age: self.now - self.made,
            valid: VALID,
            before: 0.5,
            after: 0.25,
        }
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl Substrate for Dated {
    fn profile(&self) -> Arc<Profile> {
        let below = self.inner.profile();
        Arc::new(Profile { facets: Facets { calibration: true, rest: true, ..Facets::default() }, ..(*below).clone() })
    }

    async fn realize(&self, program: &Program, run: &Run) -> Result<Box<dyn Realization>> {
        let inner = self.inner.realize(program, run).await?;
        Ok(Box::new(Dating { inner, habit: self.habit, dt: program.semantics().dt, now: BEGIN, made: BEGIN }))
    }

    fn exemplars(&self) -> Vec<Program> {
        self.inner.exemplars()
    }

    fn clock(&self) -> Option<Duration> {
        self.inner.clock()
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl Realization for Dating {
    async fn advance(&mut self, x: Signal<'_>, mut y: SignalMut<'_>, ticks: usize) -> Result<Report> {
        let certificate = self.in_force();
        match self.habit {
            Habit::Careless => {}
            Habit::Hasty => certificate.check()?,
            Habit::Honest | Habit::Stuck | Habit::Spoiling | Habit::Fading => {
                certificate.check_until(certificate.age + ticks as f64 * self.dt)?
            }
        }
        let report = self.inner.advance(x, y.reborrow(), ticks).await?;
        let spoilt = match self.habit {
            Habit::Spoiling => self.made > BEGIN,
            Habit::Fading => certificate.age > FADED * VALID,
            Habit::Honest | Habit::Careless | Habit::Hasty | Habit::Stuck => false,
        };
        if let (true, SignalMut::Dense(values)) = (spoilt, y) {
            values.iter_mut().for_each(|v| *v *= SPOILT);
        }
        self.now += ticks as f64 * self.dt;
        Ok(Report { clipped: 1, ..report })
    }

    async fn reset(&mut self) -> Result<()> {
        self.inner.reset().await
    }

    fn memory(&mut self) -> Option<&mut dyn Memory> {
        None
    }

    fn tuning(&mut self) -> Option<&mut dyn Tuning> {
        None
    }

    fn plasticity(&mut self) -> Option<&mut dyn Plasticity> {
        None
    }

    fn calibration(&mut self) -> Option<&mut dyn Calibration> {
        Some(self)
    }

    fn rest(&mut self) -> Option<&mut dyn Rest> {
        Some(self)
    }
}

#[async_trait]
impl Calibration for Dating {
    async fn calibrate(&mut self) -> Result<Certificate> {
        if self.habit == Habit::Stuck {
            return Err(Error::new(ErrorKind::Calibration, "nothing fits"));
        }
        self.made = self.now;
        Ok(self.in_force())
    }

    async fn certificate(&mut self) -> Result<Option<Certificate>> {
        Ok(Some(self.in_force()))
    }
}

#[async_trait]
impl Rest for Dating {
    async fn rest(&mut self, seconds: f64) -> Result<()> {
        self.now += seconds;
        Ok(())
    }

    async fn age(&mut self) -> Result<f64> {
        Ok(self.now)
    }
}

/// A conductance of `(2 + x)` mS with `dx/dt = k v - x/tau`, and a current that flows without a voltage.
#[derive(Debug, Clone, Copy)]
struct Film;

impl Dynamics<1, 1, 3, 1> for Film {
    const SIGNATURE: Signature<1, 1, 3, 1> = Signature {
        id: "isoform.test.memristor.film/1",
        summary: "A film whose conductance is that at rest and a state that the voltage moves.",
        source: "its definition",
        inputs: [Quantity::new("v", "V", [-1.0, 1.0], "voltage").input()],
        states: [Quantity::new("x", "1", [-1.0, 1.0], "state").state(0.0)],
        parameters: [
            Quantity::new("k", "1/(V s)", [0.0, 100.0], "speed").parameter().or(1.0),
            Quantity::new("tau", "s", [1e-3, 1e9], "time in which it forgets").parameter().or(1e9).above_nought(),
            Quantity::new("leak", "A", [0.0, 1.0], "current without a voltage").parameter().or(0.0),
        ],
        outputs: [Quantity::new("i", "A", [-1e-2, 1e-2], "current").output()],
    };

    fn flow<S: Scalar>(&self, [v]: [S; 1], [x]: [S; 1], [k, tau, _]: [S; 3]) -> [S; 1] {
        [k * v - x / tau]
    }

    fn tick<S: Scalar>(&self, [v]: [S; 1], [x]: [S; 1], [_, _, leak]: [S; 3], _: S) -> ([S; 1], [S; 1]) {
        ([x], [S::lit(1e-3) * (S::lit(2.0) + x) * v + leak])
    }
}

/// A substrate that shows a film of itself.
#[derive(Debug)]
pub struct Films {
    inner: Arc<dyn Substrate>,
    parameters: [f64; 3],
    /// How fast the film is beside what its program says.
    speed: f64,
}

impl Films {
    /// A film whose state moves by `k` a volt and second and decays in `tau` seconds, and through which `leak` amperes flow without a voltage.
    #[must_use]
    pub fn new(inner: Arc<dyn Substrate>, k: f64, tau: f64, leak: f64) -> Self {
        Self { inner, parameters: [k, tau, leak], speed: 1.0 }
    }

    /// The same, shown as it is, whose state moves at another speed.
    #[must_use]
    pub fn with_speed(mut self, speed: f64) -> Self {
        self.speed = speed;
        self
    }

    fn program(&self, speed: f64, semantics: Semantics) -> Result<Program> {
        let [k, tau, leak] = self.parameters;
        let film = Neuron::new(Film).with("k", k * speed).with("tau", tau).with("leak", leak);
        let mut builder = Program::builder();
        let v = builder.input("v", [1]);
        let i = builder.node("film", film, v);
        builder.output("i", i);
        builder.build(semantics)
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl Substrate for Films {
    fn profile(&self) -> Arc<Profile> {
        self.inner.profile()
    }

    async fn realize(&self, program: &Program, run: &Run) -> Result<Box<dyn Realization>> {
        let is_film = matches!(program.nodes(), [node] if node.name == "film");
        if is_film && self.speed != 1.0 {
            return self.inner.realize(&self.program(self.speed, *program.semantics())?, run).await;
        }
        self.inner.realize(program, run).await
    }

    fn exemplars(&self) -> Vec<Program> {
        self.program(1.0, Semantics::exact(1e-4).with_decay(Decay::Euler)).into_iter().collect()
    }

    fn clock(&self) -> Option<Duration> {
        self.inner.clock()
    }
}
