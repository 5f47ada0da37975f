//! Recorded data of the nodes of a graph: `NIRGraphData`, as Python `nir` 1.0.8 stores it.

use std::path::Path;

use hdf5_pure::{AttrValue, File, FileBuilder, Group, GroupBuilder};
use indexmap::IndexMap;

use super::error::{NirError, NirErrorKind, Result};
use super::hdf::{self, Budget, MAX_DEPTH, Place};
use super::read::{join, load};
use super::tensor::Tensor;
use super::value::Value;
use super::write::{check_name, put};

/// The attribute that says what a group holds.
const TYPE: &str = "__type__";

/// Data recorded at the nodes of one graph, by the names of the nodes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct GraphData {
    /// The data of each node.
    pub nodes: IndexMap<String, NodeData>,
}

/// Data recorded at one node.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum NodeData {
    /// The node is a graph itself.
    Graph(GraphData),
    /// What was observed, by name (`spikes`, `voltages`, ...).
    Observables(IndexMap<String, Observable>),
}

/// One observed quantity of all neurons of a node.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Observable {
    /// A value for each step of time.
    TimeGridded(TimeGridded),
    /// A list of events.
    Events(EventList),
}

/// A quantity sampled on a grid of time.
#[derive(Debug, Clone, PartialEq)]
pub struct TimeGridded {
    /// The values, of shape `[sample, time, neuron]`; of type `bool` for spikes.
    pub data: Tensor,
    /// The time step in seconds.
    pub dt: f64,
}

/// Events with their times, and values if they carry any.
#[derive(Debug, Clone, PartialEq)]
pub struct EventList {
    /// The neuron of each event, of shape `[sample, event]`; -1 where there is none.
    pub idx: Tensor,
    /// The time of each event in seconds, of the same shape; infinite where there is none.
    pub time: Tensor,
    /// The value of each event, of the same shape.
    pub value: Option<Tensor>,
    /// How many neurons the node has.
    pub n_neurons: i64,
    /// How long the recording is, in seconds.
    pub t_max: f64,
}

/// Reads recorded data from a file.
///
/// # Errors
///
/// Names the file, the node and what is wrong with it; see [`NirErrorKind`].
pub fn read_data(path: impl AsRef<Path>) -> Result<GraphData> {
    let path = path.as_ref();
    load(path).and_then(parse).map_err(|error| error.with_file(path))
}

/// Reads recorded data from the bytes of a file.
///
/// # Errors
///
/// As [`read_data`], without the name of the file.
pub fn data_from_bytes(bytes: &[u8]) -> Result<GraphData> {
    parse(bytes.to_vec())
}

/// Writes recorded data to a file.
///
/// # Errors
///
/// Names the file, the node and what is wrong: arrays whose shapes do not fit each other, a name
/// that HDF5 cannot hold, or a file that cannot be written.
pub fn write_data(path: impl AsRef<Path>, data: &GraphData) -> Result<()> {
    let path = path.as_ref();
    data_to_bytes(data)
        .and_then(|bytes| std::fs::write(path, bytes).map_err(|e| NirErrorKind::Io(e).into()))
        .map_err(|error: NirError| error.with_file(path))
}

/// Writes recorded data to the bytes of a file.
///
/// # Errors
///
/// As [`write_data`], without the name of the file.
pub fn data_to_bytes(data: &GraphData) -> Result<Vec<u8>> {
    let mut file = FileBuilder::new();
    file.set_attr(TYPE, text("NIRGraphData"));
    let mut nodes = file.create_group("nodes");
    put_nodes(&mut nodes, data, "", 0)?;
    file.add_group(nodes.finish());
    file.finish().map_err(|e| NirErrorKind::Hdf5(e).into())
}

/// Whether the file holds recorded data and not a graph.
pub(super) fn is_recorded_data(file: &File) -> bool {
    file.root().attrs().is_ok_and(|attrs| attrs.get(TYPE).and_then(AttrValue::as_str) == Some("NIRGraphData"))
}

fn parse(bytes: Vec<u8>) -> Result<GraphData> {
    hdf::open(bytes, |file, budget| {
        if !is_recorded_data(file) {
            return Err(NirErrorKind::NotRecordedData.into());
        }
        read_graph(&file.root(), "", 0, budget)
    })
}

fn read_graph(group: &Group, path: &str, depth: usize, budget: &mut Budget) -> Result<GraphData> {
    let at = Place { node: path, name: "nodes" };
    if depth > MAX_DEPTH {
        return Err(at.error(NirErrorKind::TooDeep { limit: MAX_DEPTH }));
    }
    let inner = child(group, "nodes", at, budget)?;
    let (_, groups) = hdf::members(&inner, at, budget)?;
    let mut nodes = IndexMap::with_capacity(groups.len());
    for (name, group) in groups {
        let path = join(path, &name);
        let at = Place { node: &path, name: TYPE };
        let data = match kind(&group, at)?.as_str() {
            "NIRGraphData" => NodeData::Graph(read_graph(&group, &path, depth + 1, budget)?),
            "NIRNodeData" => NodeData::Observables(read_observables(&group, at, budget)?),
            _ => return Err(wrong_type(at, "\"NIRNodeData\" or \"NIRGraphData\"")),
        };
        if nodes.contains_key(&name) {
            return Err(at.error(NirErrorKind::Duplicate(name)));
        }
        nodes.insert(name, data);
    }
    Ok(GraphData { nodes })
}

fn read_observables(group: &Group, at: Place<'_>, budget: &mut Budget) -> Result<IndexMap<String, Observable>> {
    let inner = child(group, "observables", at, budget)?;
    let (_, groups) = hdf::members(&inner, at, budget)?;
    let mut observables = IndexMap::with_capacity(groups.len());
    for (name, group) in groups {
        let at = Place { name: &name, ..at };
        let observable = match kind(&group, at)?.as_str() {
            "TimeGriddedData" => {
                Observable::TimeGridded(TimeGridded { data: array(&group, "data", at, budget)?, dt: number(&group, "dt", at)? })
            }
            kind @ ("EventData" | "ValuedEventData") => Observable::Events(EventList {
                idx: array(&group, "idx", at, budget)?,
                time: array(&group, "time", at, budget)?,
                value: match kind {
                    "EventData" => None,
                    _ => Some(array(&group, "value", at, budget)?),
                },
                n_neurons: whole(&group, "n_neurons", at)?,
                t_max: number(&group, "t_max", at)?,
            }),
            _ => {
                return Err(wrong_type(at, "\"TimeGriddedData\", \"EventData\" or \"ValuedEventData\""));
            }
        };
        check(&observable, at)?;
        if observables.contains_key(&name) {
            return Err(at.error(NirErrorKind::Duplicate(name.clone())));
        }
        observables.insert(name, observable);
    }
    Ok(observables)
}

/// What must hold for every observable, read or to be written.
fn check(observable: &Observable, at: Place<'_>) -> Result<()> {
    let shape = |message: String| Err(at.error(NirErrorKind::Shape(message)));
    match observable {
        Observable::TimeGridded(grid) => {
            if grid.data.rank() != 3 {
                return shape(format!("\"{}\" has the shape {:?}, expected [sample, time, neuron]", at.name, grid.data.shape()));
            }
            if !(grid.dt.is_finite() && grid.dt > 0.0) {
                return shape(format!("\"{}\" has the time step {} s", at.name, grid.dt));
            }
        }
        Observable::Events(events) => {
            let same = [Some(&events.time), events.value.as_ref()].into_iter().flatten().all(|t| t.shape() == events.idx.shape());
            if !same || events.idx.rank() != 2 {
                return shape(format!(
                    "\"{}\" has idx {:?} and time {:?}, expected both (and value) as [sample, event]",
                    at.name,
                    events.idx.shape(),
                    events.time.shape()
                ));
            }
            if !events.idx.dtype().is_integer() {
                return shape(format!("\"{}\" has idx of type {}", at.name, events.idx.dtype()));
            }
            if events.n_neurons < 0 || !(events.t_max.is_finite() && events.t_max >= 0.0) {
                return shape(format!("\"{}\" has {} neurons and a duration of {} s", at.name, events.n_neurons, events.t_max));
            }
        }
    }
    Ok(())
}

fn child(group: &Group, name: &str, at: Place<'_>, budget: &mut Budget) -> Result<Group> {
    let (_, groups) = hdf::members(group, at, budget)?;
    groups.into_iter().find_map(|(found, group)| (found == name).then_some(group)).ok_or_else(|| {
        at.error(NirErrorKind::Missing {
            name: name.to_owned(),
            needs: "recorded data has nodes, and each node observables".to_owned(),
        })
    })
}

fn array(group: &Group, name: &str, at: Place<'_>, budget: &mut Budget) -> Result<Tensor> {
    let (datasets, _) = hdf::members(group, at, budget)?;
    let inner = format!("{}/{name}", at.name);
    let at = Place { name: &inner, ..at };
    let Some((_, dataset)) = datasets.into_iter().find(|(found, _)| found == name) else {
        return Err(missing(at));
    };
    match hdf::read_value(&dataset, at, budget)? {
        Value::Tensor(tensor) => Ok(tensor),
        other => Err(at.error(NirErrorKind::WrongType {
            name: at.name.to_owned(),
            expected: "an array of numbers",
            found: other.describe(),
        })),
    }
}

fn attribute(group: &Group, name: &str, at: Place<'_>) -> Result<AttrValue> {
    let mut attrs = group.attrs().map_err(|e| at.hdf5(e))?;
    attrs.remove(name).ok_or_else(|| {
        let inner = format!("{}/{name}", at.name);
        missing(Place { name: &inner, ..at })
    })
}

fn missing(at: Place<'_>) -> NirError {
    at.error(NirErrorKind::Missing {
        name: at.name.to_owned(),
        needs: "gridded data has data and dt; events have idx, time, n_neurons and t_max".to_owned(),
    })
}

fn wrong_type(at: Place<'_>, expected: &'static str) -> NirError {
    at.error(NirErrorKind::WrongType { name: format!("{}/{TYPE}", at.name), expected, found: "another value".to_owned() })
}

fn kind(group: &Group, at: Place<'_>) -> Result<String> {
    match attribute(group, TYPE, at)?.as_str() {
        Some(text) => Ok(text.to_owned()),
        None => Err(wrong_type(at, "a text")),
    }
}

fn number(group: &Group, name: &str, at: Place<'_>) -> Result<f64> {
    let value = attribute(group, name, at)?;
    let number = value.as_f64().or_else(|| match value {
        AttrValue::F32(x) => Some(f64::from(x)),
        _ => value.as_i64().map(|x| x as f64),
    });
    number.ok_or_else(|| {
        at.error(NirErrorKind::WrongType {
            name: format!("{}/{name}", at.name),
            expected: "a number",
            found: value.type_name().to_owned(),
        })
    })
}

fn whole(group: &Group, name: &str, at: Place<'_>) -> Result<i64> {
    let value = attribute(group, name, at)?;
    // Python stores whatever number it was given, so `10.0` neurons is possible.
    let from_float = |x: f64| (x.fract() == 0.0 && x.abs() < 2f64.powi(53)).then_some(x as i64);
    let whole = value.as_i64().or_else(|| value.as_f64().and_then(from_float));
    whole.ok_or_else(|| {
        at.error(NirErrorKind::WrongType {
            name: format!("{}/{name}", at.name),
            expected: "an integer",
            found: value.type_name().to_owned(),
        })
    })
}

fn text(text: &str) -> AttrValue {
    AttrValue::VarLenString(text.to_owned())
}

fn put_nodes(group: &mut GroupBuilder, data: &GraphData, path: &str, depth: usize) -> Result<()> {
    let at = Place { node: path, name: "nodes" };
    if depth > MAX_DEPTH {
        return Err(at.error(NirErrorKind::TooDeep { limit: MAX_DEPTH }));
    }
    for (name, node) in &data.nodes {
        check_name(name, at)?;
        let path = join(path, name);
        let mut outer = group.create_group(name);
        match node {
            NodeData::Graph(graph) => {
                outer.set_attr(TYPE, text("NIRGraphData"));
                let mut nodes = outer.create_group("nodes");
                put_nodes(&mut nodes, graph, &path, depth + 1)?;
                outer.add_group(nodes.finish());
            }
            NodeData::Observables(observables) => {
                outer.set_attr(TYPE, text("NIRNodeData"));
                let mut inner = outer.create_group("observables");
                for (name, observable) in observables {
                    let at = Place { node: &path, name };
                    check_name(name, at)?;
                    check(observable, at)?;
                    let mut group = inner.create_group(name);
                    put_observable(&mut group, observable, &path)?;
                    inner.add_group(group.finish());
                }
                outer.add_group(inner.finish());
            }
        }
        group.add_group(outer.finish());
    }
    Ok(())
}

fn put_observable(group: &mut GroupBuilder, observable: &Observable, node: &str) -> Result<()> {
    match observable {
        Observable::TimeGridded(grid) => {
            group.set_attr(TYPE, text("TimeGriddedData"));
            group.set_attr("dt", AttrValue::F64(grid.dt));
            put(group, node, "data", &grid.data)
        }
        Observable::Events(events) => {
            let kind = match events.value {
                Some(_) => "ValuedEventData",
                None => "EventData",
            };
            group.set_attr(TYPE, text(kind));
            group.set_attr("n_neurons", AttrValue::I64(events.n_neurons));
            group.set_attr("t_max", AttrValue::F64(events.t_max));
            put(group, node, "idx", &events.idx)?;
            put(group, node, "time", &events.time)?;
            match &events.value {
                Some(value) => put(group, node, "value", value),
                None => Ok(()),
            }
        }
    }
}
