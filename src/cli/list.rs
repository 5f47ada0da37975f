//! `isoform list`: what there is.

use super::console::{Console, painted, table, wrapped};
use super::failure::{Failure, Outcome, Result};
#[cfg(feature = "devices")]
use super::ports;
use anstyle::AnsiColor;
use clap::Args;
use isoform::core::dump::{QUESTIONS, preset_table};
use isoform::core::profile::Profile;
use isoform::core::registry::{Found, Named, Registry};
use serde::Serialize;

/// Substrates found here and what each promises.
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Print the options of this instrument or medium instead, such as photonic.
    #[cfg_attr(feature = "devices", arg(conflicts_with_all = ["semantics", "ports"]))]
    #[cfg_attr(not(feature = "devices"), arg(conflicts_with = "semantics"))]
    name: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    /// Print how each preset answers the questions of semantics instead.
    #[arg(long)]
    semantics: bool,
    /// Print the serial ports of this computer instead.
    ///
    /// At ports that are named every known instrument of one line is asked for in turn, which takes up to a minute and a half, and then who is there as
    /// a line of a larger one. Bytes that one instrument understands as a question may set another in motion, so that ports are not asked
    /// unless they are named.
    #[cfg(feature = "devices")]
    #[arg(long, num_args = 0.., value_name = "PORT", conflicts_with = "semantics")]
    ports: Option<Vec<String>>,
}

#[derive(Serialize)]
struct Listing<'a> {
    substrates: Vec<Found>,
    schemes: Vec<Scheme<'a>>,
    twins: &'a [Named],
}

#[derive(Serialize)]
struct Scheme<'a> {
    scheme: &'a str,
    summary: &'a str,
    options: Vec<Choice<'a>>,
}

#[derive(Serialize)]
struct Choice<'a> {
    name: &'a str,
    meaning: &'a str,
}

impl List {
    pub(crate) fn execute(&self, console: &Console) -> Result {
        if self.semantics {
            return self.presets(*console);
        }
        #[cfg(feature = "devices")]
        if let Some(named) = &self.ports {
            return ports::list(*console, named, self.json);
        }
        let registry = isoform::registry();
        let twins = registry.schemes().find(|(scheme, _)| *scheme == "twin").map_or(&[][..], |(_, entry)| entry.names());
        if let Some(name) = &self.name {
            return self.options(*console, &registry, twins, name);
        }
        let found = registry.discover();
        if self.json {
            console.print_json(&Listing { substrates: found, schemes: schemes(&registry), twins })?;
            return Ok(Outcome::Done);
        }
        console.print("Substrates\n")?;
        console.print(substrates(&found))?;
        console.print("\nLocators\n")?;
        let rows = schemes(&registry).into_iter().flat_map(|s| {
            let first = vec![format!("{}:", s.scheme), s.summary.to_owned()];
            let options = s.options.into_iter().map(|o| vec![format!("  {}=", o.name), o.meaning.to_owned()]);
            std::iter::once(first).chain(options.collect::<Vec<_>>())
        });
        console.print(table(&["locator", "meaning"], rows, 1))?;
        if !twins.is_empty() {
            console.print("\nInstruments and media\n")?;
            let rows = twins.iter().map(|named| vec![format!("twin:{}", named.name), named.about.clone()]);
            console.print(table(&["twin", "what it is; their options: isoform list NAME"], rows, 1))?;
        }
        console.print("\nOptions follow \"?\" and are joined by \"&\". Prove a substrate: isoform conform LOCATOR")?;
        Ok(Outcome::Done)
    }

    /// The options of a twin, or of a scheme.
    fn options(&self, console: Console, registry: &Registry, twins: &[Named], name: &str) -> Result {
        let plain = name.strip_prefix("twin:").filter(|twin| !twin.is_empty()).unwrap_or(name).trim_end_matches(':');
        let twin = twins.iter().find(|named| named.name.eq_ignore_ascii_case(plain)).cloned();
        let scheme = registry.schemes().find(|(scheme, _)| scheme.eq_ignore_ascii_case(plain));
        let (title, named) = match (twin, scheme) {
            (Some(twin), _) => (format!("twin:{}", twin.name), twin),
            (None, Some((scheme, entry))) => {
                let about = entry.summary().to_owned();
                (scheme.to_owned(), Named { name: scheme.to_owned(), about, options: entry.options().to_vec() })
            }
            (None, None) => {
                let known = twins.iter().map(|named| named.name.as_str()).chain(registry.schemes().map(|(scheme, _)| scheme));
                let known: Vec<&str> = known.collect();
                let why = format!("no instrument, medium or scheme is called {name:?}; known are {}", known.join(", "));
                return Err(Failure::input(why));
            }
        };
        if self.json {
            console.print_json(&named)?;
            return Ok(Outcome::Done);
        }
        console.print(wrapped(&format!("{title}: {}", named.about)))?;
        if !named.options.is_empty() {
            let rows = named.options.iter().map(|(name, meaning)| vec![(*name).to_owned(), (*meaning).to_owned()]);
            console.print(format!("\n{}", table(&["option", "meaning"], rows, 1)))?;
        }
        Ok(Outcome::Done)
    }

    fn presets(&self, console: Console) -> Result {
        if self.json {
            let rows: Vec<serde_json::Value> = preset_table()
                .into_iter()
                .map(|(name, answers)| {
                    let mut row = serde_json::Map::new();
                    row.insert(String::from("preset"), name.into());
                    row.extend(QUESTIONS.iter().zip(answers).map(|(&q, a)| (q.to_owned(), a.into())));
                    row.into()
                })
                .collect();
            console.print_json(&rows)?;
            return Ok(Outcome::Done);
        }
        let short = |question: &'static str| if question == "input delay" { "delay" } else { question };
        let header: Vec<&str> = std::iter::once("preset").chain(QUESTIONS.map(short)).collect();
        let rows = preset_table().into_iter().map(|(name, answers)| {
            let short = answers.into_iter().map(|a| a.replace("fixed(12 bit decay, unit 640)", "12-bit"));
            std::iter::once(name.to_owned()).chain(short).collect()
        });
        console.print(table(&header, rows, 0))?;
        Ok(Outcome::Done)
    }
}

fn schemes(registry: &Registry) -> Vec<Scheme<'_>> {
    registry
        .schemes()
        .map(|(scheme, entry)| Scheme {
            scheme,
            summary: entry.summary(),
            options: entry.options().iter().map(|&(name, meaning)| Choice { name, meaning }).collect(),
        })
        .collect()
}

fn substrates(found: &[Found]) -> String {
    let rows = found.iter().map(|f| match (&f.profile, &f.absent) {
        (Some(profile), _) => {
            let what = format!("{}; {}", profile.device, abilities(profile));
            vec![f.locator.clone(), profile.class.to_string(), profile.version.clone(), what]
        }
        (None, why) => {
            let why = why.as_deref().unwrap_or("for a reason that it does not give");
            vec![f.locator.clone(), painted("absent", AnsiColor::Yellow), String::new(), why.to_owned()]
        }
    });
    table(&["locator", "class", "version", "device and what it promises"], rows, 3)
}

/// Abilities and limits in words.
fn abilities(profile: &Profile) -> String {
    let (facets, takes, limits) = (&profile.facets, &profile.takes, &profile.limits);
    let mut words: Vec<String> = [
        (facets.memory, "saves state"),
        (facets.tuning, "tunes parameters"),
        (facets.plasticity, "learns"),
        (facets.calibration && !facets.renewal, "calibrates"),
        (facets.renewal, "keeps itself calibrated"),
        (facets.rest, "lets time pass"),
        (takes.located, "locates spikes"),
        (takes.fixed, "fixed point"),
        (!takes.cycles, "no cycles"),
    ]
    .into_iter()
    .filter(|(has, _)| *has)
    .map(|(_, word)| word.to_owned())
    .collect();
    if !takes.nodes.is_empty() {
        words.push(format!("only {}", takes.nodes.join(", ")));
    }
    let [low, high] = limits.input;
    if low > f64::from(f32::MIN) || high < f64::from(f32::MAX) {
        words.push(format!("inputs from {low} to {high}"));
    }
    for (limit, what) in [
        (limits.channels, "channels in a node"),
        (limits.batch, "lanes"),
        (limits.ticks, "ticks at a time"),
        (limits.realizations, "programs at a time"),
    ] {
        if limit != usize::MAX {
            words.push(format!("at most {limit} {what}"));
        }
    }
    words.join(", ")
}
