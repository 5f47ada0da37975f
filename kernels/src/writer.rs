//! What writing a kernel needs: the buffers it touches, the places it reads, and names that no language reserves.

use crate::form::{Binding, Element, Expr, Stmt, Type, span};
use crate::lower::Layout;
use crate::reserved::{OPENCL, OWN, WGSL};
use isoform_core::plan::Place;
use std::collections::HashSet;
use std::sync::Arc;

/// A kernel that is being written.
#[derive(Debug)]
pub(crate) struct Writer<'a> {
    pub(crate) layout: &'a Layout,
    pub(crate) bindings: Vec<Binding>,
    names: Names,
}

/// Where the rows of a place are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rows {
    pub(crate) buffer: usize,
    /// From row to row; nought where one row stands for all ticks.
    stride: usize,
    /// Rows before the first of the block.
    before: usize,
    /// Whether the rows are those of an input of the program, of which there may be but one.
    input: bool,
}

impl<'a> Writer<'a> {
    pub(crate) fn new(layout: &'a Layout) -> Self {
        Self { layout, bindings: Vec::new(), names: Names::default() }
    }

    /// A name that is not taken yet.
    pub(crate) fn fresh(&mut self, wanted: &str) -> String {
        self.names.fresh(wanted)
    }

    /// Lets the kernel touch a buffer.
    pub(crate) fn bind(&mut self, buffer: usize, name: &str, written: bool) -> usize {
        if let Some(binding) = self.bindings.iter_mut().find(|b| b.buffer == buffer) {
            binding.written |= written;
        } else {
            let element = self.layout.buffers[buffer].element;
            let name = self.names.fresh(name);
            self.bindings.push(Binding { buffer, name, element, written });
        }
        buffer
    }

    /// Lets the kernel read the rows of a place.
    pub(crate) fn rows(&mut self, place: Place, name: &str) -> Rows {
        let rows = self.layout.rows(place);
        self.bind(rows.buffer, name, false);
        rows
    }

    /// Lets the kernel write the rows of a buffer of the plan.
    pub(crate) fn rows_mut(&mut self, index: usize, name: &str) -> Rows {
        let rows = self.layout.rows(Place::Buffer { index, late: false });
        self.bind(rows.buffer, name, true);
        rows
    }

    /// An element of a buffer.
    pub(crate) fn load(&self, kind: Type, buffer: usize, at: Expr) -> Expr {
        Expr::Load(kind, buffer, Arc::new(at))
    }

    /// The finished bindings.
    pub(crate) fn finish(self) -> Vec<Binding> {
        self.bindings
    }
}

impl Rows {
    pub(crate) fn new(buffer: usize, stride: usize, before: usize, input: bool) -> Self {
        Self { buffer, stride, before, input }
    }

    /// Where a lane of the row of a tick stands.
    pub(crate) fn at(&self, tick: &Expr, lane: Expr) -> Expr {
        if self.stride == 0 {
            return lane;
        }
        let tick = if self.input { tick.clone() * Expr::index(span::MOVING) } else { tick.clone() };
        let row = if self.before > 0 { tick + Expr::whole(self.before) } else { tick };
        row.by(self.stride) + lane
    }

    /// A lane of the row of a tick.
    pub(crate) fn read(&self, kind: Type, tick: &Expr, lane: Expr) -> Expr {
        Expr::Load(kind, self.buffer, Arc::new(self.at(tick, lane)))
    }

    /// Writes a lane, or the lanes of an item, of the row of a tick.
    pub(crate) fn write(&self, kind: Type, tick: &Expr, lane: Expr, value: Expr) -> Stmt {
        Stmt::Store(kind, self.buffer, self.at(tick, lane), value)
    }
}

/// Element and length of a buffer on the device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BufferSpec {
    /// Its name, for error messages.
    pub name: String,
    /// What its elements are.
    pub element: Element,
    /// How many.
    pub len: usize,
}

/// Names in a kernel.
#[derive(Debug)]
struct Names(HashSet<String>);

impl Default for Names {
    fn default() -> Self {
        Self([OWN, WGSL, OPENCL].concat().into_iter().map(String::from).collect())
    }
}

impl Names {
    fn fresh(&mut self, wanted: &str) -> String {
        let mut name = identifier(wanted);
        while !self.0.insert(name.clone()) {
            name.push('_');
            // a trailing underscore is lawful in both languages, two are not in one of them
            if name.ends_with("__") {
                name.truncate(name.len() - 2);
                name = format!("{name}{}", self.0.len());
            }
        }
        name
    }
}

/// A word of letters, digits and single underscores that begins with a letter.
pub(crate) fn identifier(text: &str) -> String {
    let mut name = String::new();
    for c in text.chars() {
        match c {
            'a'..='z' | 'A'..='Z' | '0'..='9' => name.push(c),
            _ if !name.ends_with('_') => name.push('_'),
            _ => {}
        }
    }
    let name = name.trim_matches('_');
    if name.starts_with(|c: char| c.is_ascii_alphabetic()) { name.to_owned() } else { format!("n{name}") }
}
