//! Signals in recorded data of Python `nir`.

use indexmap::IndexMap;

use super::choice::{choose, collect, of_inputs};
use super::error::{Result, SignalErrorKind};
use super::{Dense, Event, Events, MAX_TICKS, Options, Recording, Signal, check_extents, narrow, ports};
use crate::nir::{self, DType, EventList, GraphData, NodeData, Observable, Tensor, TensorData, TimeGridded};

/// Where a signal is written if the options name no place.
const NODE: &str = "output";
const OBSERVABLE: &str = "spikes";

pub(super) fn from_bytes(bytes: &[u8], options: &Options) -> Result<Signal> {
    let data = nir::data_from_bytes(bytes).map_err(SignalErrorKind::Nir)?;
    let mut all = Vec::new();
    collect(&data, "", &mut all);
    if let Some(found) = of_inputs(&all, options)? {
        let parts = options.inputs.iter().cloned().zip(found.into_iter().map(|observable| signal(observable, options)));
        return ports::join(parts.map(|(name, part)| Ok((name, part?))).collect::<Result<_>>()?);
    }
    signal(choose(&all, options)?, options)
}

fn signal(observable: &Observable, options: &Options) -> Result<Signal> {
    match observable {
        Observable::TimeGridded(grid) => gridded(grid).map(Signal::Dense),
        Observable::Events(list) => events(list, options).map(Signal::Events),
    }
}

pub(super) fn to_bytes(signal: &Signal, options: &Options) -> Result<Vec<u8>> {
    let node = options.node.as_deref().unwrap_or(NODE);
    let name = options.observable.as_deref().unwrap_or(OBSERVABLE);
    let mut data = GraphData::default();
    place(&mut data, node, name, observable(signal, options)?);
    nir::data_to_bytes(&data).map_err(|e| SignalErrorKind::Nir(e).into())
}

pub(super) fn all_to_bytes(recordings: &[Recording], dt: f64) -> Result<Vec<u8>> {
    let mut data = GraphData::default();
    for recording in recordings {
        let options = Options::default().with_dt(dt).with_binary(recording.binary);
        if !place(&mut data, &recording.node, &recording.observable, observable(&recording.signal, &options)?) {
            let asked = format!("two recordings of \"{}:{}\"", recording.node, recording.observable);
            let known = recordings.iter().map(|r| format!("{}:{}", r.node, r.observable)).collect();
            return Err(SignalErrorKind::Choice { asked, known }.into());
        }
    }
    nir::data_to_bytes(&data).map_err(|e| SignalErrorKind::Nir(e).into())
}

fn observable(signal: &Signal, options: &Options) -> Result<Observable> {
    Ok(match signal {
        Signal::Dense(dense) => Observable::TimeGridded(to_grid(dense, options)?),
        Signal::Events(events) => Observable::Events(to_list(events)?),
    })
}

/// Puts a recording in its place, where a path leads into nested graphs; false if the place is taken.
fn place(data: &mut GraphData, path: &str, name: &str, observable: Observable) -> bool {
    match path.split_once('/') {
        None => {
            let node = data.nodes.entry(path.to_owned()).or_insert_with(|| NodeData::Observables(IndexMap::new()));
            match node {
                NodeData::Observables(all) => all.insert(name.to_owned(), observable).is_none(),
                NodeData::Graph(_) => false,
            }
        }
        Some((outer, inner)) => {
            let node = data.nodes.entry(outer.to_owned()).or_insert_with(|| NodeData::Graph(GraphData::default()));
            match node {
                NodeData::Graph(graph) => place(graph, inner, name, observable),
                NodeData::Observables(_) => false,
            }
        }
    }
}

/// From `[sample, time, neuron]` to `[time, batch, channel]`.
fn gridded(grid: &TimeGridded) -> Result<Dense> {
    let &[batch, ticks, channels] = grid.data.shape() else {
        let shape = grid.data.shape();
        return Err(SignalErrorKind::Shape(format!("gridded data has the shape {shape:?}")).into());
    };
    check_extents(ticks as u64, batch, channels)?;
    let wide = grid.data.to_f64();
    let mut data = Vec::with_capacity(wide.len());
    // without values there is nothing to go through, however many ticks are declared
    for tick in 0..if wide.is_empty() { 0 } else { ticks } {
        for sample in 0..batch {
            let start = (sample * ticks + tick) * channels;
            for &value in wide.get(start..start + channels).unwrap_or_default() {
                data.push(narrow(value)?);
            }
        }
    }
    Ok(Dense::new(ticks, batch, channels, data)?.with_dt(grid.dt))
}

fn to_grid(dense: &Dense, options: &Options) -> Result<TimeGridded> {
    let dt = options.dt.or(dense.dt).ok_or(SignalErrorKind::NoTimeStep)?;
    check_step(dt)?;
    let Dense { ticks, batch, channels, data, .. } = dense;
    let mut sorted = Vec::with_capacity(data.len());
    for sample in 0..if data.is_empty() { 0 } else { *batch } {
        for tick in 0..*ticks {
            let start = (tick * batch + sample) * channels;
            sorted.extend_from_slice(data.get(start..start + channels).unwrap_or_default());
        }
    }
    let data = match options.binary {
        false => TensorData::F32(sorted),
        true => {
            if let Some(value) = sorted.iter().find(|&&v| v != 0.0 && v != 1.0) {
                return Err(SignalErrorKind::Shape(format!(
                    "the value {value} is neither 0 nor 1, so the signal cannot be written as booleans"
                ))
                .into());
            }
            TensorData::Bool(sorted.iter().map(|&v| v == 1.0).collect())
        }
    };
    let shape = [*batch, *ticks, *channels];
    let data = Tensor::new(shape, data).ok_or_else(|| SignalErrorKind::Shape(format!("the values do not fill {shape:?}")))?;
    Ok(TimeGridded { data, dt })
}

/// Places the times of events on ticks.
///
/// A tick covers the half-open span `[tick dt, (tick + 1) dt)`. A time that lies within the
/// rounding of its own type below a tick counts as on it: `0.3 / 0.1` is 2.9999999999999996.
fn events(list: &EventList, options: &Options) -> Result<Events> {
    let dt = options.dt.ok_or(SignalErrorKind::NoTimeStep)?;
    check_step(dt)?;
    let epsilon = match list.time.dtype() {
        DType::F16 => 2f64.powi(-10),
        DType::F32 => f64::from(f32::EPSILON),
        _ => f64::EPSILON,
    };
    let &[batch, per_sample] = list.idx.shape() else {
        let shape = list.idx.shape();
        return Err(SignalErrorKind::Shape(format!("events have the shape {shape:?}")).into());
    };
    let malformed =
        || SignalErrorKind::Shape(format!("events have idx {}, time {}, {} neurons", list.idx, list.time, list.n_neurons));
    let channels = usize::try_from(list.n_neurons).map_err(|_| malformed())?;
    let neurons = list.idx.to_i64().ok_or_else(malformed)?;
    let times = list.time.to_f64();
    let values = list.value.as_ref().map(Tensor::to_f64);
    let on_grid = |seconds: f64, round_up: bool| {
        let exact = seconds / dt;
        let near = exact.round();
        match (exact - near).abs() <= 4.0 * epsilon * near.abs() {
            true => near,
            false if round_up => exact.ceil(),
            false => exact.floor(),
        }
    };
    let ticks = on_grid(list.t_max, true);
    if ticks > MAX_TICKS as f64 {
        return Err(SignalErrorKind::Duration { t_max: list.t_max, dt, ticks }.into());
    }
    let ticks = ticks as u64;
    check_extents(ticks, batch, channels)?;
    let mut events = Vec::new();
    for (i, (&neuron, &time)) in neurons.iter().zip(&times).enumerate() {
        // numpy has no ragged arrays: lists are filled up with neuron -1 at infinity.
        if neuron == -1 {
            continue;
        }
        let place = on_grid(time, false);
        let channel = usize::try_from(neuron).ok().filter(|&c| c < channels);
        let inside = place >= 0.0 && place < ticks as f64;
        let sample = i / per_sample.max(1);
        let Some(channel) = channel.filter(|_| inside && sample < batch) else {
            return Err(SignalErrorKind::Event {
                sample,
                event: i % per_sample.max(1),
                neuron,
                time,
                channels,
                t_max: list.t_max,
            }
            .into());
        };
        let value = match &values {
            None => 1.0,
            Some(values) => narrow(values.get(i).copied().ok_or_else(malformed)?)?,
        };
        events.push(Event { tick: place as u64, sample, channel, value });
    }
    events.sort_by_key(|e| (e.tick, e.sample, e.channel));
    Ok(Events { ticks, batch, channels, list: events, dt })
}

fn to_list(events: &Events) -> Result<EventList> {
    check_step(events.dt)?;
    let mut samples: Vec<Vec<&Event>> = vec![Vec::new(); events.batch];
    for event in &events.list {
        match samples.get_mut(event.sample) {
            Some(list) if event.channel < events.channels && event.tick < events.ticks => {
                list.push(event);
            }
            _ => {
                return Err(SignalErrorKind::Shape(format!(
                    "the event at tick {}, sample {}, channel {} lies outside the signal",
                    event.tick, event.sample, event.channel
                ))
                .into());
            }
        }
    }
    let width = samples.iter().map(Vec::len).max().unwrap_or(0);
    let count = width * events.batch;
    let (mut idx, mut time) = (Vec::with_capacity(count), Vec::with_capacity(count));
    let mut value = Vec::with_capacity(count);
    for list in &samples {
        for event in list {
            idx.push(event.channel as i64);
            time.push(event.tick as f64 * events.dt);
            value.push(event.value);
        }
        let missing = width - list.len();
        idx.extend(std::iter::repeat_n(-1, missing));
        time.extend(std::iter::repeat_n(f64::INFINITY, missing));
        value.extend(std::iter::repeat_n(0.0, missing));
    }
    let spikes = events.list.iter().all(|e| e.value == 1.0);
    let shape = [events.batch, width];
    let fill = |data: TensorData| {
        Tensor::new(shape, data).ok_or_else(|| SignalErrorKind::Shape(format!("the events do not fill {shape:?}")))
    };
    Ok(EventList {
        idx: fill(idx.into())?,
        time: fill(time.into())?,
        value: match spikes {
            true => None,
            false => Some(fill(value.into())?),
        },
        n_neurons: events.channels as i64,
        t_max: events.ticks as f64 * events.dt,
    })
}

fn check_step(dt: f64) -> Result<()> {
    match dt.is_finite() && dt > 0.0 {
        true => Ok(()),
        false => Err(SignalErrorKind::TimeStep(dt).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(idx: Vec<i64>, time: TensorData, t_max: f64) -> EventList {
        let n = idx.len();
        EventList {
            idx: Tensor::new([1, n], idx).unwrap(),
            time: Tensor::new([1, n], time).unwrap(),
            value: None,
            n_neurons: 3,
            t_max,
        }
    }

    #[test]
    fn times_on_a_tick_belong_to_it() {
        let options = Options::default().with_dt(0.1);
        let doubles = vec![0.0, 0.1, 0.3, 0.7, 0.75, f64::INFINITY];
        let singles: Vec<f32> = doubles.iter().map(|&t| t as f32).collect();
        for time in [TensorData::from(doubles), TensorData::from(singles)] {
            let events = events(&list(vec![0, 1, 2, 0, 1, -1], time, 0.8), &options).unwrap();
            assert_eq!(events.ticks, 8);
            let ticks: Vec<_> = events.list.iter().map(|e| (e.tick, e.channel)).collect();
            assert_eq!(ticks, [(0, 0), (1, 1), (3, 2), (7, 0), (7, 1)]);
        }
    }

    #[test]
    fn every_tick_of_a_long_grid_survives_seconds() {
        for dt in [1e-4, 1e-3, 0.1, 1.0 / 3.0, 7e-5] {
            let all = (0..20_000u64).map(|tick| Event { tick, sample: 0, channel: 0, value: 1.0 });
            let signal = Events { ticks: 20_000, batch: 1, channels: 1, list: all.collect(), dt };
            let options = Options::default().with_dt(dt);
            assert_eq!(events(&to_list(&signal).unwrap(), &options).unwrap(), signal, "{dt}");
        }
    }

    #[test]
    fn events_outside_are_refused() {
        let options = Options::default().with_dt(0.1);
        for (idx, time) in [(3, 0.0), (-2, 0.0), (0, -0.1), (0, 0.5), (0, f64::INFINITY), (0, f64::NAN)] {
            let list = list(vec![idx], vec![time].into(), 0.5);
            let error = events(&list, &options).unwrap_err();
            assert!(matches!(error.kind(), SignalErrorKind::Event { .. }), "{idx} {time}: {error}");
        }
        let short = list(vec![0], vec![0.0].into(), 0.5);
        let error = events(&short, &Options::default()).unwrap_err();
        assert!(matches!(error.kind(), SignalErrorKind::NoTimeStep));
    }

    #[test]
    fn an_absurd_duration_is_refused() {
        let far = |t_max| events(&list(vec![0], vec![0.0].into(), t_max), &Options::default().with_dt(1e-3));
        for t_max in [1e300, 2e9] {
            let error = far(t_max).unwrap_err();
            assert!(matches!(error.kind(), SignalErrorKind::Duration { .. }), "{error}");
            assert!(error.to_string().contains(&format!("(t_max) {t_max:e} s, {:e} ticks of 1e-3 s", t_max / 1e-3)), "{error}");
        }
        // a long recording of few events is one, but is not laid out
        let error = far(1e9).unwrap().to_dense().unwrap_err();
        assert!(matches!(error.kind(), SignalErrorKind::TooLarge { .. }));
    }

    #[test]
    fn extents_without_values_are_refused_or_done_at_once() {
        for shape in [[3, 1 << 60, 0], [1 << 60, 0, 3], [1, 0, 1 << 60]] {
            let grid = TimeGridded { data: Tensor::new(shape, Vec::<f32>::new()).unwrap(), dt: 1e-3 };
            let error = gridded(&grid).unwrap_err();
            assert!(matches!(error.kind(), SignalErrorKind::Extents { .. }), "{error}");
        }
        let grid = TimeGridded { data: Tensor::new([1 << 20, 1 << 40, 0], Vec::<f32>::new()).unwrap(), dt: 1e-3 };
        let dense = gridded(&grid).unwrap();
        assert_eq!(to_grid(&dense, &Options::default()).unwrap(), grid);
        let wide = EventList { n_neurons: 1 << 60, ..list(vec![0], vec![0.0].into(), 1.0) };
        assert!(events(&wide, &Options::default().with_dt(1e-3)).is_err());
    }

    #[test]
    fn gridded_data_changes_its_axes() {
        let data: Vec<f32> = (0u8..12).map(f32::from).collect();
        let grid = TimeGridded { data: Tensor::new([2, 3, 2], data).unwrap(), dt: 1e-3 };
        let dense = gridded(&grid).unwrap();
        assert_eq!((dense.ticks, dense.batch, dense.channels), (3, 2, 2));
        assert_eq!(dense.data, [0., 1., 6., 7., 2., 3., 8., 9., 4., 5., 10., 11.]);
        assert_eq!(to_grid(&dense, &Options::default()).unwrap(), grid);
    }

    #[test]
    fn paths_and_choices() {
        let signal = Signal::from(Dense::new(2, 1, 1, vec![0.0, 1.0]).unwrap().with_dt(1e-3));
        let options = Options::default().with_node("srnn/lif").with_binary(true);
        let bytes = to_bytes(&signal, &options).unwrap();
        assert_eq!(from_bytes(&bytes, &Options::default()).unwrap(), signal);
        assert_eq!(from_bytes(&bytes, &options).unwrap(), signal);
        let wrong = Options::default().with_node("lif");
        assert_eq!(
            from_bytes(&bytes, &wrong).unwrap_err().to_string(),
            "no recording of \"lif:any observable\"; the file holds srnn/lif:spikes; choose one as node:observable"
        );
        let half = Signal::from(Dense::new(1, 1, 1, vec![0.5]).unwrap().with_dt(1e-3));
        assert!(to_bytes(&half, &options).unwrap_err().to_string().contains("neither 0 nor 1"));
    }

    #[test]
    fn a_recording_of_each_input_is_taken_in_the_order_of_the_inputs() {
        let of = |node: &str, observable: &str, values: &[f32]| Recording {
            node: node.to_owned(),
            observable: observable.to_owned(),
            signal: Dense::new(1, 1, values.len(), values.to_vec()).unwrap().into(),
            binary: false,
        };
        let read = |recordings: &[Recording], inputs: &[&str]| {
            let bytes = all_to_bytes(recordings, 1e-3).unwrap();
            from_bytes(&bytes, &Options::default().with_inputs(inputs.iter().copied())).and_then(Signal::into_dense)
        };
        let two = [of("b", "v", &[1.0, 2.0]), of("a", "v", &[3.0]), of("layer/lif", "v", &[4.0])];
        assert_eq!(read(&two, &["a", "b"]).unwrap().data, [3.0, 1.0, 2.0]);
        assert_eq!(read(&two, &["b", "a"]).unwrap().data, [1.0, 2.0, 3.0]);
        assert_eq!(read(&two, &["a"]).unwrap().data, [3.0]);
        // a single recording needs no name
        assert_eq!(read(&two[..1], &["a"]).unwrap().data, [1.0, 2.0]);
        assert_eq!(
            read(&two, &["a", "c"]).unwrap_err().to_string(),
            "there is not one recording of the input \"c\"; the file holds b:v, a:v, layer/lif:v; choose one as node:observable"
        );
        let unclear = [of("a", "v", &[1.0]), of("a", "i", &[2.0])];
        assert!(read(&unclear, &["a"]).unwrap_err().to_string().contains("several recordings fit"));
        assert!(
            all_to_bytes(&[of("a", "v", &[1.0]), of("a", "v", &[2.0])], 1e-3).unwrap_err().to_string().contains("two recordings")
        );
    }
}
