//! The wiring of the bench in software: generator, device, digitizer, and the trigger between them.
//!
//! When the generator starts, it triggers the digitizer at once; its output follows after a delay that nobody has written down. Channel 1 of the
//! digitizer is at the output of the device, channel 2 at the output of the generator.

use super::physics::Physics;
use isoform_core::draw::Key;
use std::time::Duration;

/// How the digitizer waits for its trigger.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Armed {
    /// Samples of each channel.
    pub points: usize,
    /// Seconds between samples.
    pub period: f64,
    /// Volts at full scale of each channel.
    pub ranges: [f64; 2],
}

/// What the digitizer has recorded.
#[derive(Debug, Clone, PartialEq)]
pub struct Recording {
    /// The codes of both channels.
    pub codes: [Vec<i16>; 2],
    /// When the last sample was taken.
    pub ends: Duration,
}

/// The wiring.
#[derive(Debug)]
pub struct Circuit {
    physics: Box<dyn Physics>,
    /// Until when the device was followed, in seconds.
    at: f64,
    /// From the trigger to the first sample of the generator, in seconds.
    delay: f64,
    bits: u32,
    /// The standard deviation of a sample in volts.
    noise: f64,
    key: Key,
    plays: u64,
    /// The digitizer, if it waits.
    pub armed: Option<Armed>,
    /// The last recording.
    pub recording: Option<Recording>,
}

impl Circuit {
    /// A bench around a device that rests.
    #[must_use]
    pub fn new(physics: Box<dyn Physics>, delay: f64, bits: u32, noise: f64, seed: u64) -> Self {
        let key = Key::new(seed, 0);
        Self { physics, at: 0.0, delay, bits, noise, key, plays: 0, armed: None, recording: None }
    }

    /// The step of the converter at a range: volts of one code.
    #[must_use]
    pub fn step(&self, range: f64) -> f64 {
        2.0 * range / f64::from(1_u32 << self.bits)
    }

    /// Whether the generator still plays.
    #[must_use]
    pub fn is_playing(&self, now: Duration) -> bool {
        now.as_secs_f64() < self.at
    }

    /// Plays voltages, each for a period in seconds, and nought volts behind them.
    pub fn play(&mut self, volts: &[f64], period: f64, now: Duration) {
        let start = now.as_secs_f64();
        self.physics.flow((start - self.at).max(0.0), 0.0);
        let mut player = Player { volts, period, delay: self.delay, next: 0, level: 0.0, at: 0.0 };
        self.plays += 1;
        if let Some(Armed { points, period, ranges }) = self.armed.take() {
            let mut codes = [Vec::with_capacity(points), Vec::with_capacity(points)];
            let mut noise = vec![0.0_f32; 2 * points];
            self.key.fill_normal(0, 0, self.plays, &mut noise);
            for sample in 0..points {
                player.go(self.physics.as_mut(), sample as f64 * period);
                let seen = [self.physics.output(), player.level];
                for (channel, volts) in seen.into_iter().enumerate() {
                    let noise = f64::from(noise[2 * sample + channel]) * self.noise;
                    let step = self.step(ranges[channel]);
                    codes[channel].push(convert((volts + noise) / step, self.bits));
                }
            }
            let ends = now + Duration::from_secs_f64(points.saturating_sub(1) as f64 * period);
            self.recording = Some(Recording { codes, ends });
        }
        player.go(self.physics.as_mut(), self.delay + volts.len() as f64 * period);
        self.at = start + player.at;
    }

    /// The generator plays no further.
    pub fn stop(&mut self, now: Duration) {
        self.at = self.at.min(now.as_secs_f64());
    }

    /// Everything loses its supply.
    pub fn restart(&mut self) {
        self.armed = None;
        self.recording = None;
        self.physics.restart();
    }
}

/// A converter: the nearest code, or the last one there is.
#[expect(clippy::cast_possible_truncation, reason = "clipped to the codes of a converter of at most sixteen bits")]
fn convert(steps: f64, bits: u32) -> i16 {
    let half = f64::from(1_u32 << (bits - 1));
    steps.round().clamp(-half, half - 1.0) as i16
}

/// A generator on its way through a waveform; times are in seconds from the trigger.
#[derive(Debug)]
struct Player<'a> {
    volts: &'a [f64],
    period: f64,
    delay: f64,
    next: usize,
    level: f64,
    at: f64,
}

impl Player<'_> {
    /// Goes on to a time, or stays if that is past.
    fn go(&mut self, physics: &mut dyn Physics, to: f64) {
        loop {
            let edge = self.delay + self.next as f64 * self.period;
            if self.next > self.volts.len() || edge > to {
                break;
            }
            physics.flow((edge - self.at).max(0.0), self.level);
            self.at = self.at.max(edge);
            self.level = self.volts.get(self.next).copied().unwrap_or(0.0);
            self.next += 1;
        }
        physics.flow((to - self.at).max(0.0), self.level);
        self.at = self.at.max(to);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::waveform::leaky::Leaky;

    #[test]
    fn samples_are_taken_by_the_trigger_and_waveforms_come_later() {
        let mut circuit = Circuit::new(Box::new(Leaky::new(1e-3, 1.0)), 25e-6, 12, 0.0, 0);
        circuit.armed = Some(Armed { points: 8, period: 10e-6, ranges: [2.0, 2.0] });
        circuit.play(&[1.0, -1.0], 20e-6, Duration::ZERO);
        let recording = circuit.recording.clone().expect("was triggered");
        // a volt is 1024 steps of a twelve-bit converter at 2 V
        assert_eq!(recording.codes[1], [0, 0, 0, 1024, 1024, -1024, -1024, 0]);
        assert_eq!(recording.ends, Duration::from_micros(70));
        // 5 µs and 15 µs of charging, then 5 µs of the other sign
        let charge = |us: f64| 1.0 - (-us / 1000.0).exp();
        let top = charge(20.0);
        let back = -1.0 + (top + 1.0) * (-5.0_f64 / 1000.0).exp();
        let wanted: Vec<i16> = [0.0, 0.0, 0.0, charge(5.0), charge(15.0), back].iter().map(|v| convert(v * 1024.0, 12)).collect();
        assert_eq!(recording.codes[0][..6], wanted);
        assert!(circuit.is_playing(Duration::from_micros(60)) && !circuit.is_playing(Duration::from_micros(71)));
    }

    #[test]
    fn a_converter_clips() {
        assert_eq!((convert(2047.4, 12), convert(3000.0, 12), convert(-3000.0, 12)), (2047, 2047, -2048));
        assert_eq!(convert(f64::MAX, 16), i16::MAX);
    }
}
