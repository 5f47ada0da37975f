//! Kernels as OpenCL C 1.2 (Khronos, *The OpenCL Specification*, version 1.2): one text for all kernels of a program.
//!
//! In the style of a grid every kernel is launched on its own, an item a work item. In the style of a task, which FPGA boards want, the
//! whole program is one kernel of a single work item, and what would be kernels are functions with loops over their items.

use super::{Language, expression, round_trip, statements};
use crate::form::{Binary, Element, Expr, Function, Items, Kernel, Type, Unary, span};
use crate::library::function;
use crate::lower::Lowered;
use std::collections::BTreeSet;
use std::fmt::Write;

/// The entry point of a program in the style of a task.
pub const TASK: &str = "run_program";

/// How the kernels of a program are launched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Style {
    /// A kernel for each step, a work item for each item.
    Grid,
    /// One kernel with a single work item.
    Task,
}

struct OpenCl<'a> {
    kernel: Option<&'a Kernel>,
    width: usize,
}

/// The text of a program.
#[must_use]
pub fn source(lowered: &Lowered, style: Style) -> String {
    let mut out =
        String::from("// products and sums are rounded one by one, as on every substrate\n#pragma OPENCL FP_CONTRACT OFF\n");
    let calls: BTreeSet<(usize, &str)> =
        lowered.kernels.iter().flat_map(|k| k.calls().into_iter().map(|f| (k.width, f))).collect();
    for (width, name) in calls {
        if let Some(f) = function(name) {
            library(&f, width, &mut out);
        }
    }
    for kernel in &lowered.kernels {
        step(kernel, style, &mut out);
    }
    if style == Style::Task {
        task(lowered, &mut out);
    }
    out
}

fn library(f: &Function, width: usize, out: &mut String) {
    let language = OpenCl { kernel: None, width };
    let _ = writeln!(out, "\n// {}", f.remark);
    let real = language.kind(Type::Real);
    let _ = writeln!(out, "{real} {}({} x) {{", language.function(f.name), language.kind(f.argument));
    statements(&language, &f.body, 1, out);
    let _ = writeln!(out, "    return {};\n}}", language.spread(&f.result, Type::Real));
}

fn told() -> String {
    span::ALL.map(|name| format!("const uint {name}")).join(", ")
}

/// No two pointers of a kernel meet, and compilers for boards must be told so. In a grid it is left unsaid: there it gains nothing, and a compiler
/// for GPUs then moves the loads of a line before the stores of earlier ticks (NVIDIA, driver 580).
fn pointer(element: Element, written: bool, style: Style, name: &str) -> String {
    let element = if element == Element::Real { "float" } else { "uint" };
    let alone = if style == Style::Task { "restrict " } else { "" };
    format!("__global {}{element} *{alone}{name}", if written { "" } else { "const " })
}

fn step(kernel: &Kernel, style: Style, out: &mut String) {
    let language = OpenCl { kernel: Some(kernel), width: kernel.width };
    out.push('\n');
    for remark in &kernel.remarks {
        let _ = writeln!(out, "// {}", remark.replace(['\n', '\r', '\\'], " "));
    }
    let buffers: Vec<String> = kernel.bindings.iter().map(|b| pointer(b.element, b.written, style, &b.name)).collect();
    let buffers = buffers.join(", ");
    let items = match kernel.items {
        Items::Fixed(items) => format!("{items}u"),
        Items::PerTick(items) => format!("{items}u * ticks"),
    };
    match style {
        Style::Grid => {
            let _ = writeln!(out, "__kernel void {}({}, {buffers}) {{", kernel.name, told());
            let _ = writeln!(out, "    const uint item = get_global_id(0);");
            let _ = writeln!(out, "    if (item >= {items}) {{\n        return;\n    }}");
            statements(&language, &kernel.body, 1, out);
        }
        Style::Task => {
            let _ = writeln!(out, "void {}({}, {buffers}) {{", kernel.name, told());
            let _ = writeln!(out, "    for (uint item = 0u; item < {items}; item++) {{");
            statements(&language, &kernel.body, 2, out);
            let _ = writeln!(out, "    }}");
        }
    }
    let _ = writeln!(out, "}}");
}

/// The kernel that calls all steps, and the buffers it is given: all of them, in their order.
fn task(lowered: &Lowered, out: &mut String) {
    let written = |buffer: usize| lowered.kernels.iter().filter_map(|k| k.binding(buffer)).any(|b| b.written);
    let buffers =
        lowered.buffers().iter().enumerate().map(|(i, b)| pointer(b.element, written(i), Style::Task, &format!("buffer_{i}")));
    let buffers: Vec<String> = buffers.collect();
    let _ = writeln!(out, "\n__kernel __attribute__((reqd_work_group_size(1, 1, 1)))");
    let _ = writeln!(out, "void {TASK}({}, const uint counting, {}) {{", told(), buffers.join(", "));
    let call = |kernel: usize, [first, ticks, low, high]: [&str; 4]| {
        let kernel = &lowered.kernels[kernel];
        let buffers: Vec<String> = kernel.bindings.iter().map(|b| format!("buffer_{}", b.buffer)).collect();
        format!("{}({first}, {ticks}, {}, {low}, {high}, {})", kernel.name, span::MOVING, buffers.join(", "))
    };
    let whole = [span::FIRST, span::TICKS, span::TICK_LOW, span::TICK_HIGH];
    for section in &lowered.sections {
        let (indent, told) = if section.recurrent {
            let _ = writeln!(out, "    for (uint t = first; t < first + ticks; t++) {{");
            let _ = writeln!(out, "        const uint now_low = tick_low + (t - first);");
            let _ = writeln!(out, "        const uint now_high = tick_high + (now_low < tick_low ? 1u : 0u);");
            ("        ", ["t", "1u", "now_low", "now_high"])
        } else {
            ("    ", whole)
        };
        for &kernel in &section.kernels {
            match lowered.direct {
                Some([writing, counting]) if writing == kernel => {
                    let _ = writeln!(out, "{indent}if (counting) {{\n{indent}    {};", call(counting, told));
                    let _ = writeln!(out, "{indent}}} else {{\n{indent}    {};\n{indent}}}", call(writing, told));
                }
                _ => {
                    let _ = writeln!(out, "{indent}{};", call(kernel, told));
                }
            }
        }
        if section.recurrent {
            let _ = writeln!(out, "    }}");
        }
    }
    if !lowered.counts.is_empty() {
        let _ = writeln!(out, "    if (counting) {{");
        for &kernel in &lowered.counts {
            let _ = writeln!(out, "        {};", call(kernel, whole));
        }
        let _ = writeln!(out, "    }}");
    }
    for &kernel in &lowered.rolls {
        let _ = writeln!(out, "    {};", call(kernel, whole));
    }
    let _ = writeln!(out, "}}");
}

impl OpenCl<'_> {
    fn buffer(&self, buffer: usize) -> &str {
        self.kernel.and_then(|k| k.binding(buffer)).map_or("", |b| &b.name)
    }

    /// The suffix of types and functions for all lanes of an item.
    fn suffix(&self) -> String {
        if self.width > 1 { self.width.to_string() } else { String::new() }
    }

    fn function(&self, name: &str) -> String {
        match self.width {
            1 => name.to_owned(),
            width => format!("{name}_{width}"),
        }
    }

    /// A value as one for each lane, even if it is the same for all.
    fn spread(&self, e: &Expr, kind: Type) -> String {
        let text = expression(self, e);
        if self.width > 1 && !e.kind().is_wide() { format!("({})({text})", self.kind(kind)) } else { text }
    }

    fn is_wide(&self, e: &Expr) -> bool {
        self.width > 1 && e.kind().is_wide()
    }
}

impl Language for OpenCl<'_> {
    fn number(&self, value: f32) -> String {
        format!("{}f", round_trip(value))
    }

    fn kind(&self, kind: Type) -> String {
        let wide = if kind.is_wide() { self.suffix() } else { String::new() };
        let name = match kind {
            Type::Real | Type::Scalar => "float",
            Type::Word | Type::Index => "uint",
            Type::Flag | Type::Truth => "int",
        };
        format!("{name}{wide}")
    }

    fn load(&self, kind: Type, buffer: usize, at: &Expr) -> String {
        let (name, at) = (self.buffer(buffer), expression(self, at));
        if self.width > 1 && kind.is_wide() { format!("vload{}(0, {name} + {at})", self.width) } else { format!("{name}[{at}]") }
    }

    fn store(&self, kind: Type, buffer: usize, at: &Expr, value: &Expr) -> String {
        let (name, at) = (self.buffer(buffer), expression(self, at));
        if self.width > 1 && kind.is_wide() {
            format!("vstore{}({}, 0, {name} + {at})", self.width, self.spread(value, kind))
        } else {
            format!("{name}[{at}] = {}", expression(self, value))
        }
    }

    fn unary(&self, op: Unary, a: &Expr) -> String {
        let text = expression(self, a);
        let wide = if self.is_wide(a) { self.suffix() } else { String::new() };
        match op {
            Unary::Neg => format!("-({text})"),
            Unary::Abs => format!("fabs({text})"),
            Unary::Floor => format!("floor({text})"),
            Unary::Sqrt => format!("sqrt({text})"),
            Unary::Bits => format!("as_uint{wide}({text})"),
            Unary::FromBits => format!("as_float{wide}({text})"),
            Unary::Signed => format!("convert_float{wide}(as_int{wide}({text}))"),
            Unary::Count => format!("convert_uint{wide}({text})"),
        }
    }

    fn special(&self, op: Binary, a: &Expr, b: &Expr) -> String {
        let wide = self.is_wide(a) || self.is_wide(b);
        match op {
            Binary::RightSigned => {
                let suffix = if self.is_wide(a) { self.suffix() } else { String::new() };
                format!("as_uint{suffix}(as_int{suffix}({}) >> {})", expression(self, a), expression(self, b))
            }
            _ if wide => format!("mul_hi({}, {})", self.spread(a, Type::Word), self.spread(b, Type::Word)),
            _ => format!("mul_hi({}, {})", expression(self, a), expression(self, b)),
        }
    }

    fn select(&self, condition: &Expr, yes: &Expr, no: &Expr) -> String {
        if self.is_wide(condition) {
            let kind = if matches!(yes.kind(), Type::Real | Type::Scalar) { Type::Real } else { Type::Word };
            format!("select({}, {}, {})", self.spread(no, kind), self.spread(yes, kind), expression(self, condition))
        } else {
            format!("({} ? {} : {})", expression(self, condition), expression(self, yes), expression(self, no))
        }
    }

    fn call(&self, name: &str, a: &Expr) -> String {
        let kind = if matches!(a.kind(), Type::Real | Type::Scalar) { Type::Real } else { Type::Word };
        format!("{}({})", self.function(name), self.spread(a, kind))
    }

    fn lanes(&self, first: &Expr) -> String {
        let first = expression(self, first);
        if self.width == 1 {
            return first;
        }
        let lanes: Vec<String> = (0..self.width).map(|lane| lane.to_string()).collect();
        format!("({first} + (uint{})({}))", self.width, lanes.join(", "))
    }

    fn declare(&self, name: &str, kind: Type, variable: bool) -> String {
        format!("{}{} {name}", if variable { "" } else { "const " }, self.kind(kind))
    }

    fn repeat(&self, name: &str, from: &str, to: &str) -> String {
        format!("for (uint {name} = {from}; {name} < {to}; {name}++)")
    }
}
