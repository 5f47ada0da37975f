//! Semantics as people give them: the name of a preset, and answers that differ from it.

use isoform_core::error::{Error, Result};
use isoform_core::semantics::{Compare, Cycle, Decay, Drive, Number, Order, Preset, Reset, Semantics, Test};
use serde::de::value::{MapAccessDeserializer, StrDeserializer};
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use std::fmt;

/// A preset by its name alone, or a table of a preset and of answers that differ from it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Answers {
    /// The name of a preset.
    Preset(Preset),
    /// A preset and the answers that differ from it.
    Changed(Changed),
}

/// Answers that differ from those of a preset.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Changed {
    /// The preset; `exact` for a program if none is named, and the semantics of the program for one of its nodes.
    pub preset: Option<Preset>,
    /// How much the state moves in one tick.
    pub decay: Option<Decay>,
    /// What the input does to a flow.
    pub drive: Option<Drive>,
    /// Which values the states of one node see of each other.
    pub order: Option<Order>,
    /// Where in the tick the threshold is tested.
    pub test: Option<Test>,
    /// Which side of the threshold fires.
    pub compare: Option<Compare>,
    /// What a spike does to the state.
    pub reset: Option<Reset>,
    /// By how many ticks the input of a node with state is late.
    pub input_delay: Option<u32>,
    /// Which edges of a cycle carry the value of the previous tick.
    pub cycle: Option<Cycle>,
    /// The numbers in which the states are kept.
    pub number: Option<Number>,
    /// Into how many equal steps an explicit decay cuts a tick.
    pub substeps: Option<u32>,
}

impl Default for Answers {
    fn default() -> Self {
        Self::Preset(Preset::Exact)
    }
}

// by hand, since serde tells of no field and of no word of an enum that it tries in turn
impl<'de> Deserialize<'de> for Answers {
    fn deserialize<D: Deserializer<'de>>(from: D) -> std::result::Result<Self, D::Error> {
        struct Words;
        impl<'de> Visitor<'de> for Words {
            type Value = Answers;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a preset, or a table such as { preset = \"norse\", reset = \"subtract\" }")
            }

            fn visit_str<E: serde::de::Error>(self, name: &str) -> std::result::Result<Answers, E> {
                Preset::deserialize(StrDeserializer::new(name)).map(Answers::Preset)
            }

            fn visit_map<A: MapAccess<'de>>(self, answers: A) -> std::result::Result<Answers, A::Error> {
                Changed::deserialize(MapAccessDeserializer::new(answers)).map(Answers::Changed)
            }
        }
        from.deserialize_any(Words)
    }
}

impl Answers {
    /// The semantics of a program at a time step.
    #[must_use]
    pub fn semantics(&self, dt: f64) -> Semantics {
        self.over(&Preset::Exact.semantics(dt))
    }

    /// The semantics of a node in a program: what is not answered stays as the program has it.
    #[must_use]
    pub fn over(&self, program: &Semantics) -> Semantics {
        let changed = match self {
            Self::Preset(preset) => return preset.semantics(program.dt),
            Self::Changed(changed) => changed,
        };
        let mut semantics = changed.preset.map_or(*program, |preset| preset.semantics(program.dt));
        macro_rules! apply {
            ($($field:ident: $setter:ident),+) => {
                $(if let Some(answer) = changed.$field {
                    if answer != semantics.$field {
                        semantics = semantics.$setter(answer);
                    }
                })+
            };
        }
        apply!(
            decay: with_decay,
            drive: with_drive,
            order: with_order,
            test: with_test,
            compare: with_compare,
            reset: with_reset,
            input_delay: with_input_delay,
            cycle: with_cycle,
            number: with_number,
            substeps: with_substeps
        );
        semantics
    }
}

/// The time step, which a NIR file does not carry.
///
/// # Errors
/// `InvalidProgram` if there is none or if it is no positive number.
pub fn time_step(dt: Option<f64>) -> Result<f64> {
    match dt {
        Some(dt) if dt.is_finite() && dt > 0.0 => Ok(dt),
        Some(dt) => Err(Error::invalid_program(format!(
            "a time step of {dt} s is not a positive number; give seconds, as --dt 1e-4, or dt = 1e-4 in an experiment"
        ))),
        None => Err(Error::invalid_program(
            "NIR carries no time step, and the answer depends on it; give the seconds of a tick, as --dt 1e-4, or dt = 1e-4 in an experiment",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct Holder {
        semantics: Answers,
    }

    fn parse(text: &str) -> Semantics {
        toml::from_str::<Holder>(text).expect("valid").semantics.semantics(1e-3)
    }

    #[test]
    fn a_name_and_a_table_of_the_same_answers_agree() {
        assert_eq!(parse("semantics = \"norse\""), Preset::Norse.semantics(1e-3));
        assert_eq!(parse("semantics = { preset = \"norse\", reset = \"to-value\" }"), Preset::Norse.semantics(1e-3));
        let changed = parse("semantics = { preset = \"norse\", reset = \"subtract\", input-delay = 2 }");
        assert_eq!((changed.preset(), changed.reset, changed.input_delay), (None, Reset::Subtract, 2));
        assert_eq!(changed.decay, Decay::Euler);
    }

    #[test]
    fn a_node_keeps_what_its_program_says() {
        let norse = Preset::Norse.semantics(1e-4);
        let over = |text: &str| toml::from_str::<Holder>(text).expect("valid").semantics.over(&norse);
        assert_eq!(over("semantics = {}"), norse);
        let changed = over("semantics = { reset = \"subtract\" }");
        assert_eq!((changed.decay, changed.order, changed.reset), (norse.decay, norse.order, Reset::Subtract));
        assert_eq!(over("semantics = \"lava\""), Preset::Lava.semantics(1e-4));
        assert_eq!(over("semantics = { preset = \"lava\" }"), Preset::Lava.semantics(1e-4));
    }

    #[test]
    fn a_wrong_word_is_told_with_those_that_are_known() {
        let refused = |text: &str| toml::from_str::<Holder>(text).map(|h| h.semantics).expect_err("wrong").message().to_owned();
        let question = refused("semantics = { rest = \"subtract\" }");
        assert!(question.starts_with("unknown field `rest`, expected one of `preset`, `decay`"), "{question}");
        let preset = refused("semantics = \"brian\"");
        assert!(preset.starts_with("unknown variant `brian`, expected one of `exact`, `events`"), "{preset}");
        let answer = refused("semantics = { reset = \"bar\" }");
        assert!(answer.starts_with("unknown variant `bar`, expected"), "{answer}");
        let number = refused("semantics = 3");
        assert!(number.contains("expected the name of a preset"), "{number}");
    }
}
