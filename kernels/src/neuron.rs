//! Kernels of element-wise dynamics: one item carries the state of its lanes through all ticks of a launch.

use crate::error::KernelError;
use crate::form::{Binary, Expr, Items, Kernel, Stmt, Type, Unary, span};
use crate::library::random_bits;
use crate::lower::{Layout, NeuronBuffers};
use crate::straight::Straight;
use crate::writer::{Rows, Writer};
use isoform_core::Channels;
use isoform_core::dynamics::Draw;
use isoform_core::plan::Place;
use isoform_core::program::{Node, NodeKind};
use isoform_core::semantics::{Compare, Semantics, Test};
use isoform_core::transfer::{StepRecording, TransferFunction};
use std::sync::Arc;

/// A coefficient: one number for all channels, or one for each.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Row {
    /// The same for all, and where it stands in the buffer.
    One(f32, usize),
    /// One for each, and where the first stands.
    Each(usize),
}

/// The coefficients of a node: which rows there are, and the contents of their buffer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Coefficients {
    /// `phi`, `gamma` and `constant` of a flow that is affine.
    pub(crate) affine: Option<[Vec<Row>; 3]>,
    pub(crate) parameters: Vec<Row>,
    pub(crate) contents: Vec<f32>,
}

impl Coefficients {
    /// Rounds the coefficients of a node; rows of many numbers are `repeat`ed for batch lanes and padded to a multiple of `pad`.
    pub(crate) fn new(node: &Node, repeat: usize, pad: usize) -> Result<Self, KernelError> {
        let (Some(channels), NodeKind::Dynamics { function, .. }) = (Channels::of(node), &node.kind) else {
            return Err(KernelError::NoKernel { node: node.name.clone(), kind: node.kind_name() });
        };
        let s = function.signature();
        let (x, n, p) = (s.inputs.len(), s.states.len(), s.parameters.len());
        let mut contents = Vec::new();
        let mut row = |what: &'static str, numbers: Vec<f64>| -> Result<Row, KernelError> {
            let single: Vec<f32> = numbers.iter().map(|&v| v as f32).collect();
            if single.iter().any(|v| !v.is_finite()) {
                return Err(KernelError::Range { what, node: node.name.clone() });
            }
            let at = contents.len();
            match single.split_first() {
                Some((&one, rest)) if rest.iter().all(|v| v.to_bits() == one.to_bits()) => {
                    contents.push(one);
                    Ok(Row::One(one, at))
                }
                _ => {
                    // rows start at multiples of a vector; the last value fills the lanes beyond the end
                    contents.resize(at.next_multiple_of(pad), 0.0);
                    let at = contents.len();
                    contents.extend(single.repeat(repeat));
                    let last = single.last().copied().unwrap_or(0.0);
                    contents.resize(contents.len().next_multiple_of(pad), last);
                    Ok(Row::Each(at))
                }
            }
        };
        let affine = if function.is_affine() {
            let what = "a coefficient of the flow";
            let phi = (0..n * n).map(|k| row(what, channels.values(|c| c.coefficients.phi[k]))).collect::<Result<_, _>>()?;
            let gamma = (0..n * x).map(|k| row(what, channels.values(|c| c.coefficients.gamma[k]))).collect::<Result<_, _>>()?;
            let constant =
                (0..n).map(|k| row(what, channels.values(|c| c.coefficients.constant[k]))).collect::<Result<_, _>>()?;
            Some([phi, gamma, constant])
        } else {
            None
        };
        let parameters = (0..p).map(|k| row("a parameter", channels.values(|c| c.p[k]))).collect::<Result<_, _>>()?;
        if contents.is_empty() {
            contents.push(0.0);
        }
        Ok(Self { affine, parameters, contents })
    }
}

/// What a step of a node names.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NeuronStep<'a> {
    pub(crate) node: &'a Node,
    pub(crate) name: &'a str,
    pub(crate) inputs: &'a [Place],
    pub(crate) outputs: &'a [Option<usize>],
    pub(crate) coefficients: &'a Coefficients,
    pub(crate) buffers: NeuronBuffers,
    /// The output that is counted instead of written, and the buffer of the counts.
    pub(crate) counted: Option<(usize, usize)>,
}

/// Writes the kernel of a step.
pub(crate) fn kernel(layout: &Layout, step: NeuronStep<'_>) -> Result<Kernel, KernelError> {
    let NodeKind::Dynamics { function, .. } = &step.node.kind else {
        return Err(KernelError::NoKernel { node: step.node.name.clone(), kind: step.node.kind_name() });
    };
    let mut w = Writer::new(layout);
    let lanes = step.node.channels() * layout.batch;
    let (width, stride) = (layout.width, layout.padded(lanes));
    let tick_code = TickCode::new(function.as_ref(), &step, &mut w);
    let (lane, t) = (Expr::index("lane"), Expr::index("t"));
    let mut body = vec![Stmt::Let("lane".into(), Expr::index(span::ITEM).by(width))];

    let (state, states) = (step.buffers.state, &tick_code.states);
    if !states.is_empty() {
        w.bind(state, "state", true);
    }
    for (k, name) in states.iter().enumerate() {
        let at = Expr::whole(k * stride) + lane.clone();
        body.push(Stmt::Var(Arc::clone(name), Type::Real, w.load(Type::Real, state, at)));
    }
    body.extend(tick_code.coefficients(&mut w, &step, width));

    let mut counters = Vec::new();
    let mut inner = tick_code.inputs(&mut w, &step, &lane, &t);
    inner.extend(tick_code.statements.iter().cloned());
    for (name, value) in states.iter().zip(&tick_code.next) {
        inner.push(Stmt::Set(Arc::clone(name), value.clone()));
    }
    for (port, value) in tick_code.outputs.iter().enumerate() {
        let what = function.signature().outputs[port].quantity.name;
        if let Some((counted, buffer)) = step.counted
            && counted == port
        {
            let counter: Arc<str> = w.fresh(&format!("{what}_count")).into();
            body.push(Stmt::Var(Arc::clone(&counter), Type::Real, Expr::Number(0.0)));
            let sum = Expr::Name(Type::Real, Arc::clone(&counter)) + value.clone();
            inner.push(Stmt::Set(Arc::clone(&counter), sum));
            counters.push((counter, buffer));
        } else if let Some(out) = step.outputs.get(port).copied().flatten() {
            let rows: Rows = w.rows_mut(out, &format!("{what}_out"));
            inner.push(rows.write(Type::Real, &t, lane.clone(), value.clone()));
        }
    }
    let end = Expr::index(span::FIRST) + Expr::index(span::TICKS);
    body.push(Stmt::For("t".into(), Expr::index(span::FIRST), end, inner));
    for (k, name) in states.iter().enumerate() {
        let at = Expr::whole(k * stride) + lane.clone();
        body.push(Stmt::Store(Type::Real, state, at, Expr::Name(Type::Real, Arc::clone(name))));
    }
    for (counter, buffer) in counters {
        w.bind(buffer, "counts", true);
        let sum = w.load(Type::Word, buffer, lane.clone()) + Expr::Name(Type::Real, counter).unary(Unary::Count);
        body.push(Stmt::Store(Type::Word, buffer, lane.clone(), sum));
    }
    Ok(Kernel {
        name: step.name.to_owned(),
        remarks: remarks(function.as_ref(), step.node),
        bindings: w.finish(),
        items: Items::Fixed(lanes.div_ceil(width)),
        width,
        body,
    })
}

/// What the node is and its equations, for the reader.
fn remarks(function: &dyn TransferFunction, node: &Node) -> Vec<String> {
    let s = function.signature();
    let names = |groups: &[Vec<&'static str>]| groups.concat().into_iter().map(String::from).collect::<Vec<_>>();
    let inputs: Vec<_> = s.inputs.iter().map(|q| q.quantity.name).collect();
    let states: Vec<_> = s.states.iter().map(|q| q.quantity.name).collect();
    let parameters: Vec<_> = s.parameters.iter().map(|q| q.quantity.name).collect();
    let mut remarks = vec![format!("{}: {} ({})", node.name, s.summary.trim_end_matches('.'), s.id)];
    let recording = function.recording();
    let flow = recording.flow.text(&names(&[inputs, states.clone(), parameters.clone()]));
    remarks.extend(states.iter().zip(flow).filter(|(_, f)| f != "0").map(|(name, f)| format!("d{name}/dt = {f}")));
    if let Some(event) = function.event() {
        let all = names(&[states.clone(), parameters]);
        let threshold = recording.threshold.text(&all).concat();
        let reset = recording.reset.text(&all);
        let landed: Vec<String> =
            states.iter().zip(reset).filter(|(name, r)| *name != r).map(|(name, r)| format!("{name} := {r}")).collect();
        let sign = if node.semantics.compare == Compare::Above { ">" } else { ">=" };
        remarks.push(format!("where {} {sign} {threshold}: {}", states[event], landed.join(", ")));
    }
    remarks.push(semantics(&node.semantics));
    remarks
}

fn semantics(s: &Semantics) -> String {
    let steps = if s.substeps == 1 { String::new() } else { format!(" in {} steps", s.substeps) };
    format!(
        "dt {} s, {:?} decay{steps}, {:?} drive, {:?} order, test {:?}, reset {:?}",
        s.dt, s.decay, s.drive, s.order, s.test, s.reset
    )
}

/// One tick as statements.
struct TickCode {
    states: Vec<Arc<str>>,
    /// The values that the inputs have, in the order of the signature.
    names: Vec<Arc<str>>,
    rows: Vec<(Arc<str>, Row)>,
    statements: Vec<Stmt>,
    next: Vec<Expr>,
    outputs: Vec<Expr>,
}

impl TickCode {
    fn new(function: &dyn TransferFunction, step: &NeuronStep<'_>, w: &mut Writer<'_>) -> Self {
        let s = function.signature();
        let semantics = &step.node.semantics;
        let recording = function.record(semantics);
        let mut code = Straight::default();
        let mut rows = Vec::new();

        let names: Vec<Arc<str>> = s.inputs.iter().map(|q| w.fresh(q.quantity.name).into()).collect();
        let states: Vec<Arc<str>> = s.states.iter().map(|q| w.fresh(q.quantity.name).into()).collect();
        let real = |name: &Arc<str>| Expr::Name(Type::Real, Arc::clone(name));
        let x: Vec<usize> = names.iter().map(|name| code.given(real(name))).collect();
        let before: Vec<usize> = states.iter().map(|name| code.given(real(name))).collect();
        let mut coefficient = |code: &mut Straight, w: &mut Writer<'_>, name: String, row: &Row| match row {
            // a coefficient that is nought leaves no trace in the text
            Row::One(v, _) if *v == 0.0 => code.given(Expr::Number(0.0)),
            row => {
                let name: Arc<str> = match rows.iter().find(|(_, known)| known == row) {
                    Some((name, _)) => Arc::clone(name),
                    None => {
                        let name: Arc<str> = w.fresh(&name).into();
                        rows.push((Arc::clone(&name), row.clone()));
                        name
                    }
                };
                let kind = if matches!(row, Row::One(..)) { Type::Scalar } else { Type::Real };
                code.given(Expr::Name(kind, name))
            }
        };
        let p: Vec<usize> = (s.parameters.iter().zip(&step.coefficients.parameters))
            .map(|(q, row)| coefficient(&mut code, w, q.quantity.name.to_owned(), row))
            .collect();

        let flowed = match &step.coefficients.affine {
            Some([phi, gamma, constant]) => {
                let (from, by) = (|k: usize| s.states[k].quantity.name, |k: usize| s.inputs[k].quantity.name);
                let (n, m) = (s.states.len(), s.inputs.len());
                let mut given = [x.clone(), before.clone()].concat();
                for (k, row) in phi.iter().enumerate() {
                    given.push(coefficient(&mut code, w, format!("{}_keeps_{}", from(k / n), from(k % n)), row));
                }
                for (k, row) in gamma.iter().enumerate() {
                    given.push(coefficient(&mut code, w, format!("{}_takes_{}", from(k / m), by(k % m)), row));
                }
                for (k, row) in constant.iter().enumerate() {
                    given.push(coefficient(&mut code, w, format!("{}_rises", from(k)), row));
                }
                code.tape(&recording.affine, &given)
            }
            None => {
                let step = code.given(Expr::Number(semantics.step_length() as f32));
                let nought = code.given(Expr::Number(0.0));
                let n = s.states.len();
                let psi = (0..n * n).map(|k| if k / n == k % n { step } else { nought });
                let given: Vec<usize> = x.iter().chain(&before).chain(&p).copied().chain(psi).chain([step]).collect();
                code.tape(&recording.flow, &given)
            }
        };
        let (results, fired) = jump(&mut code, &recording, semantics, [&x, &before, &flowed, &p]);
        let n = states.len();
        let called: Vec<String> = (states.iter().map(|name| format!("{name}_next")))
            .chain(s.outputs.iter().map(|q| q.quantity.name.to_owned()))
            .map(|name| w.fresh(&name))
            .collect();
        let wanted: Vec<(usize, &str)> = results.iter().copied().zip(called.iter().map(String::as_str)).collect();
        let on_the_way: Vec<(usize, String)> = flowed
            .iter()
            .zip(&states)
            .map(|(&at, name)| (at, format!("{name}_flowed")))
            .chain(fired.map(|at| (at, String::from("fired"))))
            .map(|(at, name)| (at, w.fresh(&name)))
            .collect();
        let hints: Vec<(usize, &str)> = on_the_way.iter().map(|(at, name)| (*at, name.as_str())).collect();
        let prefix = w.fresh("part");
        let (statements, mut values) = code.statements(&wanted, &hints, &prefix);
        let outputs = values.split_off(n);
        Self { states, names, rows, statements, next: values, outputs }
    }

    /// Statements that load the coefficients.
    fn coefficients(&self, w: &mut Writer<'_>, step: &NeuronStep<'_>, width: usize) -> Vec<Stmt> {
        let buffer = step.buffers.coefficients;
        let used: Vec<&(Arc<str>, Row)> = self.rows.iter().filter(|(name, _)| self.mentions(name)).collect();
        if used.is_empty() {
            return Vec::new();
        }
        w.bind(buffer, "coefficients", false);
        let mut statements = Vec::new();
        let channels = step.node.channels();
        let lane = Expr::index("lane");
        let channel = match (w.layout.batch, channels.is_multiple_of(width)) {
            (1, _) | (_, false) => lane,
            _ if used.iter().all(|(_, row)| matches!(row, Row::One(..))) => lane,
            _ => {
                statements.push(Stmt::Let("channel".into(), lane.modulo(channels)));
                Expr::index("channel")
            }
        };
        for (name, row) in used {
            let value = match row {
                Row::One(_, at) => w.load(Type::Scalar, buffer, Expr::whole(*at)),
                Row::Each(at) => w.load(Type::Real, buffer, Expr::whole(*at) + channel.clone()),
            };
            statements.push(Stmt::Let(Arc::clone(name), value));
        }
        statements
    }

    fn mentions(&self, wanted: &str) -> bool {
        let mut found = false;
        let mut look = |e: &Expr| found |= matches!(e, Expr::Name(_, name) if &**name == wanted);
        self.statements.iter().for_each(|s| s.visit(&mut look));
        self.next.iter().chain(&self.outputs).for_each(|e| e.visit(&mut look));
        found
    }

    /// Statements that load or draw the inputs of a tick.
    fn inputs(&self, w: &mut Writer<'_>, step: &NeuronStep<'_>, lane: &Expr, t: &Expr) -> Vec<Stmt> {
        let NodeKind::Dynamics { function, .. } = &step.node.kind else { return Vec::new() };
        let mut statements = Vec::new();
        let mut signals = step.inputs.iter();
        let draws = function.signature().inputs.iter().any(|i| i.draw.is_some());
        if draws {
            statements.extend(tick_words());
        }
        for (stream, (input, name)) in function.signature().inputs.iter().zip(&self.names).enumerate() {
            let used = self.mentions(name);
            let Some(draw) = input.draw else {
                if let (Some(&place), true) = (signals.next(), used) {
                    let rows = w.rows(place, &format!("{name}_in"));
                    statements.push(Stmt::Let(Arc::clone(name), rows.read(Type::Real, t, lane.clone())));
                }
                continue;
            };
            if !used {
                continue;
            }
            w.bind(step.buffers.keys, "key", false);
            let key = [0, 1].map(|k| w.load(Type::Index, step.buffers.keys, Expr::Whole(k)));
            let bits = w.fresh(&format!("{name}_bits"));
            let (drawn, value) = random_bits(
                &bits,
                key,
                Expr::Lanes(Arc::new(lane.clone())),
                u32::try_from(stream).unwrap_or(u32::MAX),
                [Expr::index("now_low"), Expr::index("now_high")],
            );
            statements.extend(drawn);
            let normal = Expr::Call("normal", Arc::new(value));
            let scaled = match draw {
                Draw::PerTick => normal,
                Draw::White => normal * Expr::Number((1.0 / step.node.semantics.dt.sqrt()) as f32),
            };
            statements.push(Stmt::Let(Arc::clone(name), scaled));
        }
        statements
    }
}

/// The ticks since the reset, of the row at hand, in two words.
fn tick_words() -> Vec<Stmt> {
    let low = Expr::index(span::TICK_LOW) + (Expr::index("t") - Expr::index(span::FIRST));
    let carried = Expr::index("now_low").binary(Binary::Below, Expr::index(span::TICK_LOW));
    let high = carried.select(Expr::index(span::TICK_HIGH) + Expr::Whole(1), Expr::index(span::TICK_HIGH));
    vec![Stmt::Let("now_low".into(), low), Stmt::Let("now_high".into(), high)]
}

/// The test, the reset and the output, after the flow; gives the next states and the outputs, and the condition to fire.
fn jump(
    code: &mut Straight,
    step: &StepRecording,
    semantics: &Semantics,
    [x, before, flowed, p]: [&[usize]; 4],
) -> (Vec<usize>, Option<usize>) {
    let (state, fired) = match &step.test {
        None => (flowed.to_vec(), code.given(Expr::Number(0.0))),
        Some(test) => {
            let tested = if semantics.test == Test::BeforeFlow { before } else { flowed };
            let compared = code.tape(test, &[tested, p].concat());
            let side = if semantics.compare == Compare::Above { Binary::Above } else { Binary::AtOrAbove };
            let fired = code.indicator(side, compared[0], compared[1]);
            let landed = code.tape(&step.land, &[tested, flowed, p].concat());
            let state = landed.iter().zip(flowed).map(|(&landed, &flowed)| code.select(fired, landed, flowed)).collect();
            (state, fired)
        }
    };
    let results = code.tape(&step.tick, &[x, &state, p, &[fired]].concat());
    (results, code.condition(fired))
}
