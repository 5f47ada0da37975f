//! Kernels as WGSL (W3C, *WebGPU Shading Language*): a module for each kernel.
//!
//! Binding 0 is what a launch is told; the buffers of the kernel follow in their order.

use super::{Language, expression, round_trip, statements, used};
use crate::form::{Binary, Element, Expr, Function, Items, Kernel, Stmt, Type, Unary, span};
use crate::library::function;
use std::fmt::Write;
use std::sync::Arc;

/// Items of a workgroup.
pub const GROUP: u32 = 64;

/// Words that a launch is told: those of [`span::ALL`], and one that is nought.
pub const SPAN_WORDS: usize = span::ALL.len() + 1;

/// How sums and products are rounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Rounding {
    /// As the device likes: WGSL (section 15.7.3) lets it fuse `a * b + c` and regroup sums and products. No error bound covers the
    /// regrouping of a definition's own constants. The functions of the library are rounded one by one in any case: they rest on sums
    /// that are not regrouped.
    Device,
    /// One by one: each result passes through an operation on bits that no compiler can leave out, since it depends on a word
    /// that the host always leaves at nought.
    #[default]
    Each,
}

struct Wgsl<'a> {
    kernel: Option<&'a Kernel>,
}

/// The module of a kernel; its entry point has the name of the kernel.
#[must_use]
pub fn module(kernel: &Kernel, rounding: Rounding) -> String {
    let mut functions: Vec<Function> = kernel.calls().into_iter().filter_map(function).collect();
    for f in &mut functions {
        f.body = apart_all(&f.body);
        f.result = apart(&f.result, true);
    }
    let kernel = match rounding {
        Rounding::Device => kernel,
        Rounding::Each => &Kernel { body: apart_all(&kernel.body), ..kernel.clone() },
    };
    let mut out = String::new();
    for remark in &kernel.remarks {
        let _ = writeln!(out, "// {}", remark.replace(['\n', '\r'], " "));
    }
    let fields = span::ALL.map(|name| format!("{name}: u32")).join(", ");
    let _ = writeln!(out, "struct Span {{ {fields}, nought: u32 }}");
    let _ = writeln!(out, "@group(0) @binding(0) var<uniform> span: Span;");
    for (k, binding) in kernel.bindings.iter().enumerate() {
        let access = if binding.written { "read_write" } else { "read" };
        let element = if binding.element == Element::Real { "f32" } else { "u32" };
        let _ = writeln!(out, "@group(0) @binding({}) var<storage, {access}> {}: array<{element}>;", k + 1, binding.name);
    }
    if rounding == Rounding::Each || !functions.is_empty() {
        out.push_str(APART);
    }
    let bodies: Vec<&Stmt> = functions.iter().flat_map(|f| &f.body).chain(&kernel.body).collect();
    helpers(&bodies, &mut out);
    for f in &functions {
        let _ = writeln!(out, "\n// {}", f.remark);
        let _ = writeln!(out, "fn {}(x: {}) -> f32 {{", f.name, Wgsl { kernel: None }.kind(f.argument));
        statements(&Wgsl { kernel: None }, &f.body, 1, &mut out);
        let _ = writeln!(out, "    return {};\n}}", expression(&Wgsl { kernel: None }, &f.result));
    }
    entry(kernel, &mut out);
    out
}

/// Hides from the compiler where a number comes from.
const APART: &str = "
// the number itself: nought is always 0, which a compiler cannot know
fn apart(x: f32) -> f32 {
    return bitcast<f32>(bitcast<u32>(x) ^ span.nought);
}
";

fn apart_all(body: &[Stmt]) -> Vec<Stmt> {
    let statement = |s: &Stmt| match s {
        Stmt::Let(name, v) => Stmt::Let(Arc::clone(name), apart(v, true)),
        Stmt::Var(name, kind, v) => Stmt::Var(Arc::clone(name), *kind, apart(v, true)),
        Stmt::Set(name, v) => Stmt::Set(Arc::clone(name), apart(v, true)),
        Stmt::Store(kind, buffer, at, v) => Stmt::Store(*kind, *buffer, at.clone(), apart(v, false)),
        Stmt::For(name, from, to, body) => Stmt::For(Arc::clone(name), from.clone(), to.clone(), apart_all(body)),
        Stmt::If(condition, body) => Stmt::If(apart(condition, false), apart_all(body)),
    };
    body.iter().map(statement).collect()
}

/// Keeps the results of arithmetic apart where they go on, that is, where others are computed from them.
fn apart(e: &Expr, goes_on: bool) -> Expr {
    let inner = |e: &Arc<Expr>, goes_on| Arc::new(apart(e, goes_on));
    match e {
        Expr::Binary(op, a, b) => {
            let real = matches!(e.kind(), Type::Real | Type::Scalar);
            let result = Expr::Binary(*op, inner(a, real), inner(b, real));
            if real && goes_on { Expr::Call("apart", Arc::new(result)) } else { result }
        }
        Expr::Unary(op, a) => Expr::Unary(*op, inner(a, goes_on || *op == Unary::Sqrt)),
        Expr::Select(c, a, b) => Expr::Select(inner(c, false), inner(a, goes_on), inner(b, goes_on)),
        Expr::Call(name, a) => Expr::Call(name, inner(a, true)),
        Expr::Number(_) | Expr::Whole(_) | Expr::Name(..) | Expr::Load(..) | Expr::Lanes(_) => e.clone(),
    }
}

fn entry(kernel: &Kernel, out: &mut String) {
    let language = Wgsl { kernel: Some(kernel) };
    let _ = writeln!(out, "\n@compute @workgroup_size({GROUP})");
    let _ = writeln!(
        out,
        "fn {}(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {{",
        kernel.name
    );
    let mut wanted = used(&span::ALL, &kernel.body);
    if matches!(kernel.items, Items::PerTick(_)) && !wanted.contains(&span::TICKS) {
        wanted.push(span::TICKS);
    }
    for name in wanted {
        let _ = writeln!(out, "    let {name} = span.{name};");
    }
    let items = match kernel.items {
        Items::Fixed(items) => format!("{items}u"),
        Items::PerTick(items) => format!("{items}u * ticks"),
    };
    let _ = writeln!(out, "    let item = id.x + id.y * (groups.x * {GROUP}u);");
    let _ = writeln!(out, "    if (item >= {items}) {{\n        return;\n    }}");
    statements(&language, &kernel.body, 1, out);
    let _ = writeln!(out, "}}");
}

/// What the language lacks, where it is needed.
fn helpers(bodies: &[&Stmt], out: &mut String) {
    let (mut high, mut bits) = (false, false);
    for body in bodies {
        body.visit(&mut |e| match e {
            Expr::Binary(Binary::MulHigh, ..) => high = true,
            Expr::Unary(Unary::FromBits, a) if matches!(**a, Expr::Whole(_)) => bits = true,
            _ => {}
        });
    }
    if high {
        out.push_str(
            "
// the high word of a product, from products of half words
fn mul_high(a: u32, b: u32) -> u32 {
    let low = (a & 0xffffu) * (b & 0xffffu);
    let left = (a >> 16u) * (b & 0xffffu) + (low >> 16u);
    let right = (a & 0xffffu) * (b >> 16u) + (left & 0xffffu);
    return (a >> 16u) * (b >> 16u) + (left >> 16u) + (right >> 16u);
}
",
        );
    }
    if bits {
        // a constant expression may neither be infinite nor no number
        out.push_str("\nfn from_bits(bits: u32) -> f32 {\n    return bitcast<f32>(bits);\n}\n");
    }
}

impl Language for Wgsl<'_> {
    fn number(&self, value: f32) -> String {
        format!("{}f", round_trip(value))
    }

    fn kind(&self, kind: Type) -> String {
        String::from(match kind {
            Type::Real | Type::Scalar => "f32",
            Type::Word | Type::Index => "u32",
            Type::Flag | Type::Truth => "bool",
        })
    }

    fn load(&self, _: Type, buffer: usize, at: &Expr) -> String {
        format!("{}[{}]", self.buffer(buffer), expression(self, at))
    }

    fn store(&self, _: Type, buffer: usize, at: &Expr, value: &Expr) -> String {
        format!("{}[{}] = {}", self.buffer(buffer), expression(self, at), expression(self, value))
    }

    fn unary(&self, op: Unary, a: &Expr) -> String {
        let text = expression(self, a);
        match op {
            Unary::Neg => format!("-({text})"),
            Unary::Abs => format!("abs({text})"),
            Unary::Floor => format!("floor({text})"),
            Unary::Sqrt => format!("sqrt({text})"),
            Unary::Bits => format!("bitcast<u32>({text})"),
            Unary::FromBits if matches!(a, Expr::Whole(_)) => format!("from_bits({text})"),
            Unary::FromBits => format!("bitcast<f32>({text})"),
            Unary::Signed => format!("f32(bitcast<i32>({text}))"),
            Unary::Count => format!("u32({text})"),
        }
    }

    fn special(&self, op: Binary, a: &Expr, b: &Expr) -> String {
        let (a, b) = (expression(self, a), expression(self, b));
        match op {
            Binary::RightSigned => format!("bitcast<u32>(bitcast<i32>({a}) >> {b})"),
            _ => format!("mul_high({a}, {b})"),
        }
    }

    fn select(&self, condition: &Expr, yes: &Expr, no: &Expr) -> String {
        format!("select({}, {}, {})", expression(self, no), expression(self, yes), expression(self, condition))
    }

    fn call(&self, name: &str, a: &Expr) -> String {
        format!("{name}({})", expression(self, a))
    }

    fn lanes(&self, first: &Expr) -> String {
        expression(self, first)
    }

    fn declare(&self, name: &str, _: Type, variable: bool) -> String {
        format!("{} {name}", if variable { "var" } else { "let" })
    }

    fn repeat(&self, name: &str, from: &str, to: &str) -> String {
        format!("for (var {name} = {from}; {name} < {to}; {name}++)")
    }
}

impl Wgsl<'_> {
    fn buffer(&self, buffer: usize) -> &str {
        self.kernel.and_then(|k| k.binding(buffer)).map_or("", |b| &b.name)
    }
}
