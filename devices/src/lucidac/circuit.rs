//! The settings of the machine as values, and as the JSON of its entities.
//!
//! ```text
//! U[lane] ─ picks one of 16 outputs ─▶ C[lane] ─ times a factor ─▶ I ─ sums lanes into 16 inputs ─▶ 8 integrators, 4 multipliers
//! ```
//! Outputs 0 to 7 are those of the integrators, 8 to 11 of the multipliers, 12 to 15 repeat inputs 8 to 11. Inputs 0 to 7 lead into the
//! integrators, 8 to 15 in pairs into the multipliers. The constant of the machine takes the place of output 15 in lanes 0 to 15 and of output
//! 14 in lanes 16 to 31.

use serde_json::{Value, json};

/// How many integrators there are.
pub const INTEGRATORS: usize = 8;
/// How many multipliers there are.
pub const MULTIPLIERS: usize = 4;
/// How many lanes there are.
pub const LANES: usize = 32;
/// How many outputs and inputs the blocks of computing elements have.
pub const CLANES: usize = 16;
/// The first lane in which output 14 stands for the constant.
pub const CONSTANT_LANE: usize = 16;
/// The output that stands for the constant in these lanes.
pub const CONSTANT_OUTPUT: u8 = 14;
/// The largest magnitude of a factor.
pub const LARGEST_FACTOR: f64 = 1.01;
/// What a lane that is scaled up multiplies by.
pub const UPSCALING: f64 = 10.0;
/// The channels of the converter.
pub const CHANNELS: usize = 8;

/// An integrator: `dy/dt = -k (sum of its lanes)`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Integrator {
    /// The initial condition, from -1 to 1.
    pub ic: f64,
    /// The rate constant in 1/s: 100 or 10000.
    pub k: u32,
}

/// All settings.
#[derive(Debug, Clone, PartialEq)]
pub struct Circuit {
    /// The output that feeds each lane.
    pub sources: [Option<u8>; LANES],
    /// The constant, if it is switched on.
    pub constant: Option<f64>,
    /// The factor of each lane.
    pub factors: [f64; LANES],
    /// Which lanes are summed into each input, a bit each.
    pub sums: [u32; CLANES],
    /// Which lanes are scaled up.
    pub upscaling: [bool; LANES],
    /// The integrators.
    pub integrators: [Integrator; INTEGRATORS],
    /// The outputs that the channels of the converter read.
    pub channels: Vec<u8>,
}

impl Default for Circuit {
    fn default() -> Self {
        Self {
            sources: [None; LANES],
            constant: None,
            factors: [0.0; LANES],
            sums: [0; CLANES],
            upscaling: [false; LANES],
            integrators: [Integrator { ic: 0.0, k: 10_000 }; INTEGRATORS],
            channels: Vec::new(),
        }
    }
}

/// Why a setting is refused: the number that the firmware adds to that of the command, and its words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The number.
    pub code: i32,
    /// The words.
    pub text: String,
}

fn refusal<T>(code: i32, text: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal { code, text: text.into() })
}

/// The list of a setting with so many entries.
fn list<'a>(value: &'a Value, entries: usize, what: &str) -> Result<&'a [Value], Refusal> {
    match value.as_array() {
        Some(all) if all.len() == entries => Ok(all),
        _ => refusal(-1, format!("{what}: expected {entries} entries")),
    }
}

fn place(value: &Value, below: usize) -> Option<u8> {
    value.as_u64().filter(|&v| v < below as u64).and_then(|v| u8::try_from(v).ok())
}

impl Circuit {
    /// Connects a lane: output, factor, input. A factor beyond one is scaled up.
    pub fn connect(&mut self, lane: usize, source: u8, factor: f64, input: u8) {
        self.sources[lane] = Some(source);
        self.sums[usize::from(input)] |= 1 << lane;
        self.upscaling[lane] = factor.abs() > 1.0;
        self.factors[lane] = if self.upscaling[lane] { factor / UPSCALING } else { factor };
    }

    /// The settings of one block: `U`, `C`, `I`, `M0`.
    #[must_use]
    pub fn block(&self, name: &str) -> Value {
        match name {
            "U" => json!({"outputs": self.sources, "constant": self.constant.map_or(json!(false), |c| json!(c))}),
            "C" => json!({"elements": self.factors}),
            "I" => {
                let lanes = |sum: &u32| (0..LANES).filter(|lane| (sum >> lane) & 1 == 1).collect::<Vec<_>>();
                json!({"outputs": self.sums.iter().map(lanes).collect::<Vec<_>>(), "upscaling": self.upscaling})
            }
            "M0" => {
                let element = |i: &Integrator| json!({"ic": i.ic, "k": i.k});
                json!({"elements": self.integrators.iter().map(element).collect::<Vec<_>>()})
            }
            _ => json!({}),
        }
    }

    /// The settings of the whole machine.
    #[must_use]
    pub fn tree(&self) -> Value {
        json!({
            "/0": {
                "/U": self.block("U"), "/C": self.block("C"), "/I": self.block("I"),
                "/M0": self.block("M0"), "/M1": self.block("M1"),
            },
            "adc_channels": self.channels,
        })
    }

    /// Takes settings for an entity, as the firmware does: what comes before an error stays set.
    ///
    /// # Errors
    /// The refusal of the firmware.
    pub fn set(&mut self, path: &[&str], config: &Value) -> Result<(), Refusal> {
        let Some(keys) = config.as_object() else { return refusal(1, "the configuration is no object") };
        match path {
            [] => keys.iter().try_for_each(|(key, value)| match key.as_str() {
                "/0" => self.set(&["0"], value),
                "adc_channels" => self.set_channels(value),
                "acl_select" if value.as_array().is_some_and(|all| all.len() == 8) => Ok(()),
                "acl_select" => refusal(531, "acl_select: expected 8 entries"),
                other => refusal(532, format!("Unknown carrier configuration key {other}")),
            }),
            ["0"] => keys.iter().try_for_each(|(key, value)| match key.strip_prefix('/') {
                Some(block @ ("U" | "C" | "I" | "M0" | "M1" | "SH")) => self.set(&["0", block], value),
                _ => refusal(4, format!("Could not resolve child entity {key}")),
            }),
            ["FP"] => Ok(()),
            ["0", block] => keys.iter().try_for_each(|(key, value)| match (*block, key.as_str()) {
                ("U", "outputs") => self.set_sources(value),
                ("U", "constant") => self.set_constant(value),
                ("C", "elements") => self.set_factors(value),
                ("I", "outputs") => self.set_sums(value),
                ("I", "upscaling") => self.set_upscaling(value),
                ("M0", "elements") => self.set_integrators(value),
                _ => refusal(-2, "Unknown configuration key"),
            }),
            _ => refusal(4, "Could not resolve child entity"),
        }
    }

    fn set_channels(&mut self, value: &Value) -> Result<(), Refusal> {
        let mut channels = Vec::new();
        for channel in value.as_array().map(Vec::as_slice).unwrap_or_default().iter().filter(|v| !v.is_null()) {
            match place(channel, CLANES) {
                Some(channel) if !channels.contains(&channel) => channels.push(channel),
                _ => return refusal(530, "adc_channels: expected different outputs from 0 to 15"),
            }
        }
        if !value.is_array() || channels.len() > CHANNELS {
            return refusal(530, "adc_channels: expected at most 8 outputs");
        }
        self.channels = channels;
        Ok(())
    }

    fn set_sources(&mut self, value: &Value) -> Result<(), Refusal> {
        let mut sources = [None; LANES];
        for (to, from) in sources.iter_mut().zip(list(value, LANES, "UBlock")?) {
            *to = place(from, CLANES);
            if to.is_none() && !from.is_null() {
                return refusal(-1, format!("UBlock: {from} is no input"));
            }
        }
        self.sources = sources;
        Ok(())
    }

    fn set_constant(&mut self, value: &Value) -> Result<(), Refusal> {
        self.constant = match (value.as_bool(), value.as_f64()) {
            (Some(on), _) => on.then_some(1.0),
            (_, Some(c)) if [1.0, 0.1].contains(&c.abs()) => Some(c),
            _ => return refusal(-2, "UBlock: illegal constant"),
        };
        Ok(())
    }

    fn set_factors(&mut self, value: &Value) -> Result<(), Refusal> {
        let mut one = |lane: usize, value: &Value| match value.as_f64() {
            Some(factor) if factor.abs() <= LARGEST_FACTOR => {
                self.factors[lane] = factor;
                Ok(())
            }
            _ => refusal(-1, format!("CBlock: factor {value} of element {lane} is out of range")),
        };
        match value.as_object() {
            Some(some) => some.iter().try_for_each(|(lane, value)| match lane.parse::<usize>() {
                Ok(lane) if lane < LANES => one(lane, value),
                _ => refusal(-1, format!("CBlock: there is no element {lane}")),
            }),
            None => list(value, LANES, "CBlock")?.iter().enumerate().try_for_each(|(lane, value)| one(lane, value)),
        }
    }

    fn set_sums(&mut self, value: &Value) -> Result<(), Refusal> {
        let mut sums = [0; CLANES];
        for (sum, lanes) in sums.iter_mut().zip(list(value, CLANES, "IBlock")?) {
            let lanes = match lanes {
                Value::Null => &[],
                Value::Array(lanes) => lanes.as_slice(),
                one => std::slice::from_ref(one),
            };
            for lane in lanes {
                match place(lane, LANES) {
                    Some(lane) => *sum |= 1 << lane,
                    None => return refusal(-1, format!("IBlock: {lane} is no lane")),
                }
            }
        }
        self.sums = sums;
        Ok(())
    }

    fn set_upscaling(&mut self, value: &Value) -> Result<(), Refusal> {
        let one = |value: &Value| value.as_bool();
        match value.as_object() {
            // the firmware returns after the first key
            Some(some) => match some.iter().next().map(|(lane, v)| (lane.parse::<usize>(), one(v))) {
                Some((Ok(lane), Some(up))) if lane < LANES => self.upscaling[lane] = up,
                None => {}
                _ => return refusal(-1, "IBlock: illegal upscaling"),
            },
            None => {
                for (to, from) in self.upscaling.iter_mut().zip(list(value, LANES, "IBlock")?) {
                    match one(from) {
                        Some(up) => *to = up,
                        None => return refusal(-1, "IBlock: upscaling is no truth value"),
                    }
                }
            }
        }
        Ok(())
    }

    fn set_integrators(&mut self, value: &Value) -> Result<(), Refusal> {
        let elements: Vec<(usize, &Value)> = match value.as_object() {
            Some(some) => some.iter().map(|(key, v)| (key.parse().unwrap_or(INTEGRATORS), v)).collect(),
            None => list(value, INTEGRATORS, "MIntBlock")?.iter().enumerate().collect(),
        };
        for (index, element) in elements {
            let Some(integrator) = self.integrators.get_mut(index) else {
                return refusal(-1, format!("MIntBlock: there is no integrator {index}"));
            };
            match element.get("ic").map(Value::as_f64) {
                Some(Some(ic)) if ic.abs() <= 1.0 => integrator.ic = ic,
                None if value.is_object() => {}
                _ => return refusal(-1, format!("MIntBlock, element {index}: Illegal IC")),
            }
            match element.get("k").map(Value::as_u64) {
                Some(Some(100)) => integrator.k = 100,
                Some(Some(10_000)) => integrator.k = 10_000,
                None => {}
                _ => return refusal(-1, format!("MIntBlock, element {index}: Illegal time factor")),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_told_is_what_is_set() {
        let mut circuit = Circuit { constant: Some(1.0), channels: vec![0, 1, 8, 9], ..Circuit::default() };
        circuit.connect(0, 0, -0.25, 1);
        circuit.connect(1, 1, 2.5, 0);
        circuit.connect(16, CONSTANT_OUTPUT, 0.5, 8);
        circuit.integrators[2] = Integrator { ic: -0.5, k: 100 };
        let mut copy = Circuit::default();
        copy.set(&[], &circuit.tree()).expect("taken");
        assert_eq!(copy, circuit);
        assert_eq!((copy.factors[1], copy.upscaling[1], copy.sums[0]), (0.25, true, 2));
    }

    #[test]
    fn wrong_settings_have_the_numbers_of_the_firmware() {
        let code = |path: &[&str], config: Value| Circuit::default().set(path, &config).expect_err("refused").code;
        assert_eq!(code(&["0", "C"], json!({"elements": {"3": 1.02}})), -1);
        assert_eq!(code(&["0", "C"], json!({"factors": []})), -2);
        assert_eq!(code(&["0", "M0"], json!({"elements": {"0": {"ic": 1.5}}})), -1);
        assert_eq!(code(&["0", "M0"], json!({"elements": {"0": {"k": 1000}}})), -1);
        assert_eq!(code(&[], json!({"adc_channels": [1, 1]})), 530);
        assert_eq!(code(&[], json!({"nonsense": 1})), 532);
        assert_eq!(code(&["7"], json!({})), 4);
    }

    proptest! {
        #[test]
        fn hostile_settings_never_panic(key in "[a-z_/0-9]{0,8}", number in any::<f64>(), block in 0..7_usize) {
            let path: &[&str] = [&[][..], &["0"], &["0", "U"], &["0", "C"], &["0", "I"], &["0", "M0"], &["FP"]][block];
            for value in [json!(number), json!([number]), json!({"99": number}), json!(null), json!({"-1": {"ic": null}})] {
                for key in [key.as_str(), "elements", "outputs", "upscaling", "adc_channels", "constant"] {
                    let _ = Circuit::default().set(path, &json!({ key: value }));
                }
            }
        }
    }
}
