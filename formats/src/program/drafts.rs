//! What each node of a graph is, found by following shapes along the edges.
//!
//! Nodes, edges and what waits are gone through by name, so that the order of a file shows in nothing.

use super::flatten::Flat;
use super::import::{draft, sizes};
use crate::nir::{self, Node};
use isoform_core::builder::Draft;
use isoform_core::error::{Error, Result};
use isoform_core::tensor::Shape;
use std::collections::{HashMap, VecDeque};

/// The drafts of all nodes, in their order, and what outputs declare that is not so.
///
/// The latter is for when everything else fits: a wrong shape anywhere may reach an output.
pub(super) fn drafts(flat: &Flat<'_>) -> Result<(Vec<Draft>, Result<()>)> {
    let mut search = Search::new(flat);
    search.run()?;
    search.check_declared(false)?;
    let outputs = search.check_declared(true);
    let all = flat.nodes.iter().zip(search.found);
    let all = all.map(|((name, node), draft)| {
        let untold = || {
            let why =
                format!("nothing tells the shape of the input of this {}; wire it, or give its input shape", node.type_name());
            Error::invalid_program(why).with_node(name)
        };
        draft.ok_or_else(untold)
    });
    Ok((all.collect::<Result<_>>()?, outputs))
}

struct Search<'a> {
    flat: &'a Flat<'a>,
    /// What leads into each node, by name.
    sources: HashMap<&'a str, Vec<&'a str>>,
    /// Which nodes each leads into.
    readers: HashMap<&'a str, Vec<usize>>,
    found: Vec<Option<Draft>>,
    shapes: HashMap<&'a str, Shape>,
}

impl<'a> Search<'a> {
    fn new(flat: &'a Flat<'a>) -> Self {
        let places: HashMap<&str, usize> = flat.nodes.iter().enumerate().map(|(i, (name, _))| (name.as_str(), i)).collect();
        let mut edges: Vec<(&str, &str)> = flat.edges.iter().map(|(from, to)| (from.as_str(), to.as_str())).collect();
        edges.sort_unstable();
        let (mut sources, mut readers) = (HashMap::<_, Vec<_>>::new(), HashMap::<_, Vec<_>>::new());
        for (from, to) in edges {
            sources.entry(to).or_default().push(from);
            readers.entry(from).or_default().extend(places.get(to));
        }
        let found = flat.nodes.iter().map(|_| None).collect();
        Self { flat, sources, readers, found, shapes: HashMap::new() }
    }

    fn run(&mut self) -> Result<()> {
        let mut queue: VecDeque<usize> = (0..self.found.len()).collect();
        queue.make_contiguous().sort_unstable_by_key(|&i| &self.flat.nodes[i].0);
        let mut waiting: Vec<(u8, usize)> = queue.iter().filter_map(|&i| self.waits(i).map(|patience| (patience, i))).collect();
        // stable, so that the first by name comes first among those that wait alike; taken from the end
        waiting.sort_by_key(|&(patience, _)| patience);
        waiting.reverse();
        loop {
            while let Some(at) = queue.pop_front() {
                self.settle(at, false, &mut queue)?;
            }
            // a cycle of nodes that all wait: one of them has to begin
            match waiting.pop() {
                Some((_, at)) => self.settle(at, true, &mut queue)?,
                None => return Ok(()),
            }
        }
    }

    /// Finds a node if its shape is known, or if it takes its natural one.
    fn settle(&mut self, at: usize, natural: bool, queue: &mut VecDeque<usize>) -> Result<()> {
        let (name, node) = &self.flat.nodes[at];
        if self.found[at].is_some() {
            return Ok(());
        }
        let offered = self.sources.get(name.as_str()).into_iter().flatten().find_map(|from| self.shapes.get(from).cloned());
        if offered.is_none() && !natural && self.waits(at).is_some() {
            return Ok(());
        }
        if let Some((draft, shape)) = draft(node, offered).map_err(|e| e.with_node(name))? {
            self.found[at] = Some(draft);
            self.shapes.insert(name, shape);
            queue.extend(self.readers.get(name.as_str()).into_iter().flatten());
        }
        Ok(())
    }

    /// How long a node waits for what is wired to it, though it could take a shape of its own: parameters of one number spread over
    /// any shape, and a matrix over leading extents.
    fn waits(&self, at: usize) -> Option<u8> {
        let (name, node) = &self.flat.nodes[at];
        let patience = match node {
            Node::Affine(n) if n.weight.rank() == 2 => 0,
            Node::Linear(n) if n.weight.rank() == 2 => 0,
            _ if nir::common_shape(node).is_some_and(|s| Shape::new(s).len() == 1) => 1,
            _ => return None,
        };
        self.sources.contains_key(name.as_str()).then_some(patience)
    }

    /// Holds the shapes that outputs or other nodes declare against what is wired to them.
    fn check_declared(&self, outputs: bool) -> Result<()> {
        for (name, node) in &self.flat.nodes {
            let (declared, field) = match node {
                Node::Output(n) if outputs => (&n.shape, "shape"),
                _ if outputs => continue,
                Node::Identity(n) => (&n.shape, "shape"),
                // an edge into an input of the whole graph is refused as such
                Node::Input(n) if name.contains('/') => (&n.shape, "shape"),
                Node::Flatten(n) => match &n.input_type {
                    Some(shape) => (shape, "input_type"),
                    None => continue,
                },
                _ => continue,
            };
            let declared = sizes(declared, field).map_err(|e| e.with_node(name))?;
            for from in self.sources.get(name.as_str()).into_iter().flatten() {
                if let Some(offered) = self.shapes.get(from).filter(|offered| !declared.is_like(offered)) {
                    let why = format!("its {field} is {declared}, but {from:?} gives {offered}; make the two agree");
                    return Err(Error::invalid_program(why).with_node(name));
                }
            }
        }
        Ok(())
    }
}
