//! Recordings of several inputs of a model, as the one signal that goes into it.

use super::error::{Result, SignalErrorKind};
use super::{Dense, Event, Events, Signal};

/// Puts the channels of several signals side by side, in their order; each has the name of its node.
pub(super) fn join(parts: Vec<(String, Signal)>) -> Result<Signal> {
    if parts.iter().all(|(_, part)| matches!(part, Signal::Events(_))) {
        let lists = parts.into_iter().filter_map(|(name, part)| match part {
            Signal::Events(events) => Some((name, events)),
            Signal::Dense(_) => None,
        });
        return join_events(lists.collect()).map(Signal::Events);
    }
    let parts = parts.into_iter().map(|(name, part)| Ok((name, part.into_dense()?))).collect::<Result<_>>()?;
    join_dense(parts).map(Signal::Dense)
}

fn join_dense(parts: Vec<(String, Dense)>) -> Result<Dense> {
    let Some((first_name, first)) = parts.first() else { return Dense::new(0, 0, 0, Vec::new()) };
    let (ticks, batch, dt) = (first.ticks, first.batch, first.dt);
    for (name, part) in &parts {
        let steps = (part.dt.unwrap_or_default(), dt.unwrap_or_default());
        if (part.ticks, part.batch) != (ticks, batch) || (steps.0 - steps.1).abs() > 1e-9 * steps.1 {
            return Err(differ((first_name, ticks as u64, batch, steps.1), (name, part.ticks as u64, part.batch, steps.0)));
        }
    }
    let channels = parts.iter().map(|(_, part)| part.channels).sum();
    let mut data = Vec::with_capacity(parts.iter().map(|(_, part)| part.data.len()).sum());
    // without values there is no row to go through, however many are declared
    let rows = if parts.iter().all(|(_, part)| part.data.is_empty()) { 0 } else { ticks * batch };
    for row in 0..rows {
        for (_, part) in &parts {
            data.extend_from_slice(part.data.get(row * part.channels..(row + 1) * part.channels).unwrap_or_default());
        }
    }
    let dense = Dense::new(ticks, batch, channels, data)?;
    Ok(Dense { dt, ..dense })
}

fn join_events(parts: Vec<(String, Events)>) -> Result<Events> {
    let Some((first_name, first)) = parts.first() else { return Err(SignalErrorKind::NoTimeStep.into()) };
    let (ticks, batch, dt) = (first.ticks, first.batch, first.dt);
    if let Some((name, part)) = parts.iter().find(|(_, part)| (part.ticks, part.batch) != (ticks, batch)) {
        return Err(differ((first_name, ticks, batch, dt), (name, part.ticks, part.batch, part.dt)));
    }
    let (mut list, mut channels) = (Vec::new(), 0);
    for (_, part) in parts {
        list.extend(part.list.into_iter().map(|e| Event { channel: e.channel + channels, ..e }));
        channels += part.channels;
    }
    list.sort_by_key(|e| (e.tick, e.sample, e.channel));
    Ok(Events { ticks, batch, channels, list, dt })
}

fn differ(a: (&str, u64, usize, f64), b: (&str, u64, usize, f64)) -> super::SignalError {
    let say =
        |(name, ticks, batch, dt): (&str, u64, usize, f64)| format!("{name:?} has {ticks} ticks of {dt} s and {batch} samples");
    SignalErrorKind::Shape(format!("the recordings of the inputs differ: {}, but {}; record them together", say(a), say(b)))
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dense(channels: usize, data: &[f32]) -> Signal {
        Dense::new(data.len() / channels, 1, channels, data.to_vec()).unwrap().with_dt(1e-3).into()
    }

    fn spike(tick: u64, channel: usize) -> Event {
        Event { tick, sample: 0, channel, value: 1.0 }
    }

    #[test]
    fn channels_stand_side_by_side() {
        let parts = vec![("a".to_owned(), dense(1, &[1.0, 2.0])), ("b".to_owned(), dense(2, &[3.0, 4.0, 5.0, 6.0]))];
        let Signal::Dense(joined) = join(parts).unwrap() else { panic!("dense") };
        assert_eq!((joined.ticks, joined.channels, joined.dt), (2, 3, Some(1e-3)));
        assert_eq!(joined.data, [1.0, 3.0, 4.0, 2.0, 5.0, 6.0]);
        let events = |channels, list| Signal::Events(Events { ticks: 2, batch: 1, channels, list, dt: 1e-3 });
        let parts = |second| vec![("a".to_owned(), events(1, vec![spike(1, 0)])), ("b".to_owned(), second)];
        let Signal::Events(joined) = join(parts(events(2, vec![spike(0, 1)]))).unwrap() else { panic!("events") };
        assert_eq!((joined.channels, joined.list), (3, vec![spike(0, 2), spike(1, 0)]));
        let Signal::Dense(mixed) = join(parts(dense(1, &[0.5, 0.25]))).unwrap() else { panic!("dense") };
        assert_eq!(mixed.data, [0.0, 0.5, 1.0, 0.25]);
    }

    #[test]
    fn recordings_of_different_lengths_are_refused() {
        let parts = vec![("a".to_owned(), dense(1, &[1.0, 2.0])), ("b".to_owned(), dense(1, &[3.0]))];
        assert_eq!(
            join(parts).unwrap_err().to_string(),
            "the recordings of the inputs differ: \"a\" has 2 ticks of 0.001 s and 1 samples, but \"b\" has 1 ticks of 0.001 s and 1 \
             samples; record them together"
        );
    }
}
