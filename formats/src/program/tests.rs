use super::*;
use crate::nir::{Affine, CubaLif, Flatten, Graph, Identity, If, Input, Ints, Lif, Linear, Node, Output, SumPool2d, Tensor};
use isoform_core::oracle::Oracle;
use isoform_core::program::Program;
use isoform_core::semantics::{Preset, Semantics};
use isoform_core::substrate::Run;

fn vector(values: &[f32]) -> Tensor {
    Tensor::vector(values.to_vec())
}

fn matrix(rows: usize, cols: usize, values: &[f32]) -> Tensor {
    Tensor::new([rows, cols], values.to_vec()).expect("fits")
}

fn lif(threshold: f32) -> Lif {
    Lif::new(vector(&[2e-3]), vector(&[1.0]), vector(&[0.0]), vector(&[threshold]), None)
}

fn run(program: &Program, x: &[f32]) -> Vec<f64> {
    Oracle::new(program, &Run::new()).run(x)
}

#[test]
fn a_graph_inside_a_graph_is_put_in_its_place() {
    let inner = Graph::new()
        .with_node("in", Input::new([1]))
        .with_node("neuron", lif(0.3))
        .with_node("out", Output::new([1]))
        .with_chain(&["in", "neuron", "out"]);
    let graph = Graph::new()
        .with_node("input", Input::new([1]))
        .with_node("layer", inner)
        .with_node("output", Output::new([1]))
        .with_chain(&["input", "layer", "output"]);
    let program = from_nir(&graph, Semantics::exact(1e-3)).expect("has a meaning");
    assert!(program.node("layer/neuron").is_ok());
    assert_eq!(run(&program, &[1.0, 0.0]), [1.0, 0.0]);
}

#[test]
fn shapes_flow_through_pooling_and_flattening() {
    let graph = Graph::new()
        .with_node("input", Input::new([1, 2, 4]))
        .with_node("pool", SumPool2d::new([2_i64, 2], [2_i64, 2], [0_i64, 0]))
        .with_node("flat", Flatten::new(None, Ints::one(0), Ints::one(-1)))
        .with_node("fc", Linear::new(matrix(1, 2, &[1.0, 10.0])))
        .with_node("output", Output::new([1]))
        .with_chain(&["input", "pool", "flat", "fc", "output"]);
    let program = from_nir(&graph, Semantics::exact(1.0)).expect("has a meaning");
    assert_eq!(run(&program, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]), [14.0 + 220.0]);
}

#[test]
fn the_order_of_a_file_says_nothing() {
    let affine = |w: &[f32], b: f32| Affine::new(matrix(1, 1, w), vector(&[b]));
    let one = || vector(&[2e-3]);
    let neuron = CubaLif::new(one(), one(), vector(&[3.0]), vector(&[0.0]), vector(&[0.2]), None, vector(&[1.0]));
    let nodes: Vec<(&str, Node)> = vec![
        ("input", Input::new([1]).into()),
        ("fc", affine(&[1.0], 0.1).into()),
        ("rec", affine(&[-0.7], 0.3).into()),
        ("lif", neuron.into()),
        ("output", Output::new([1]).into()),
    ];
    let mut edges = vec![("input", "fc"), ("fc", "lif"), ("lif", "rec"), ("rec", "lif"), ("lif", "output")];
    let build = |nodes: &[(&str, Node)], edges: &[(&str, &str)]| {
        let graph = nodes.iter().cloned().fold(Graph::new(), |g, (name, node)| g.with_node(name, node));
        let graph = edges.iter().fold(graph, |g, (from, to)| g.with_edge(*from, *to));
        from_nir(&graph, Preset::Snntorch.semantics(1e-3)).expect("has a meaning")
    };
    let program = build(&nodes, &edges);
    let mut turned = nodes.clone();
    turned.reverse();
    edges.reverse();
    let other = build(&turned, &edges);
    assert_eq!(program.digest(), other.digest());
    let x: Vec<f32> = (0..64).map(|t| if t % 5 == 0 { 1.0 } else { 0.0 }).collect();
    assert_eq!(run(&program, &x), run(&other, &x));
    // the recurrent bias acts in the first tick under one rule for cycles and not under the other
    let late = program.with_semantics(Preset::Norse.semantics(1e-3)).expect("norse has it");
    assert_ne!(run(&program, &x), run(&late, &x));
}

#[test]
fn a_program_survives_the_way_through_nir() {
    let graph = Graph::new()
        .with_node("input", Input::new([2]))
        .with_node("fc", Affine::new(matrix(2, 2, &[0.5, -0.25, 1.0, 2.0]), vector(&[0.1, -0.1])))
        .with_node(
            "lif",
            Lif::new(
                vector(&[2e-3, 3e-3]),
                vector(&[1.0, 2.0]),
                vector(&[0.0, 0.1]),
                vector(&[0.3, 0.4]),
                Some(vector(&[-0.1, 0.0])),
            ),
        )
        .with_node("output", Output::new([2]))
        .with_chain(&["input", "fc", "lif", "output"]);
    let program = from_nir(&graph, Semantics::exact(1e-3)).expect("has a meaning");
    let again = from_nir(&to_nir(&program).expect("has a node for each"), Semantics::exact(1e-3)).expect("has a meaning");
    assert_eq!(program.digest(), again.digest());
}

#[test]
fn what_is_wrong_is_named_by_node() {
    let pool = Graph::new().with_node("pool", SumPool2d::new([2_i64, 2], [2_i64, 2], [0_i64, 0]));
    let error = from_nir(&pool, Semantics::exact(1.0)).expect_err("has no input");
    assert_eq!(error.node(), Some("pool"));
    let wide = Graph::new()
        .with_node("input", Input::new([3]))
        .with_node("fc", Linear::new(matrix(1, 2, &[1.0, 1.0])))
        .with_node("output", Output::new([1]))
        .with_chain(&["input", "fc", "output"]);
    let error = from_nir(&wide, Semantics::exact(1.0)).expect_err("does not fit");
    assert_eq!(error.node(), Some("fc"), "{error}");
    let looped = Graph::new()
        .with_node("a", Linear::new(matrix(1, 1, &[1.0])))
        .with_node("b", Linear::new(matrix(1, 1, &[1.0])))
        .with_node("output", Output::new([1]))
        .with_edge("a", "b")
        .with_edge("b", "a")
        .with_edge("b", "output");
    assert!(from_nir(&looped, Semantics::exact(1.0)).expect_err("loops").to_string().contains("nothing delays"));
}

/// A graph whose chain of nodes has the given names, which is the order in which a file keeps them.
fn chain(names: [&str; 5], nodes: [Node; 5]) -> Graph {
    let mut named: Vec<(&str, Node)> = names.into_iter().zip(nodes).collect();
    named.sort_by_key(|(name, _)| *name);
    let graph = named.into_iter().fold(Graph::new(), |graph, (name, node)| graph.with_node(name, node));
    graph.with_chain(&names)
}

#[test]
fn one_number_and_a_matrix_wait_for_what_is_wired_to_them() {
    let nodes = || -> [Node; 5] {
        [
            Input::new([1, 2, 4]).into(),
            If::new(vector(&[1.0]), vector(&[0.5]), None).into(),
            Linear::new(matrix(2, 4, &[1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0])).into(),
            SumPool2d::new([2_i64, 2], [2_i64, 2], [0_i64, 0]).into(),
            Output::new([1, 1, 1]).into(),
        ]
    };
    for names in [["input", "1", "2", "3", "output"], ["a", "b", "c", "d", "e"], ["e", "d", "c", "b", "a"]] {
        let program = from_nir(&chain(names, nodes()), Semantics::exact(1.0)).expect("has a meaning");
        assert_eq!(run(&program, &[1.0, 0.0, 1.0, 0.0, 0.0, 1.0, 1.0, 0.0]), [4.0], "{names:?}");
    }
    // nothing is offered in a cycle until one node begins: the matrix, whose shape is its own
    let looped = Graph::new()
        .with_node("a", lif(0.5))
        .with_node("b", Affine::new(matrix(2, 2, &[1.0, 0.0, 0.0, 1.0]), vector(&[1.0, 0.0])))
        .with_node("output", Output::new([2]))
        .with_edge("a", "b")
        .with_edge("b", "a")
        .with_edge("a", "output");
    assert_eq!(from_nir(&looped, Preset::Snntorch.semantics(1e-3)).expect("has a meaning").output_channels(), 2);
}

#[test]
fn a_long_chain_is_followed_in_proportion_to_its_length() {
    let count = 20_000;
    // both in the file and by name, each node stands before the one that tells its shape
    let name = |i: usize| format!("n{i:05}");
    let mut graph = (0..count).fold(Graph::new(), |g, i| g.with_node(name(i), lif(0.5)).with_edge(name(i + 1), name(i)));
    graph = graph.with_node(name(count), Input::new([3]));
    let flat = flatten::flatten(&graph).expect("is flat");
    let clock = std::time::Instant::now();
    assert_eq!(drafts::drafts(&flat).expect("are found").0.len(), count + 1);
    // going through all nodes for each takes minutes
    assert!(clock.elapsed().as_secs() < 5, "{:?}", clock.elapsed());
}

#[test]
fn declared_shapes_are_held_against_what_is_wired() {
    let three = || vector(&[1.0, 2.0, 3.0]);
    let between = |node: Node, output: &[i64]| {
        Graph::new()
            .with_node("input", Input::new([3]))
            .with_node("scale", crate::nir::Scale::new(three()))
            .with_node("between", node)
            .with_node("output", Output::new(output.to_vec()))
            .with_chain(&["input", "scale", "between", "output"])
    };
    let flatten = |shape: &[i64]| Flatten::new(Some(Ints::from(shape.to_vec())), Ints::one(0), Ints::one(-1));
    let refusal = |graph: &Graph| {
        let error = from_nir(graph, Semantics::exact(1.0)).expect_err("contradicts itself");
        (error.node().unwrap_or_default().to_owned(), error.message().to_owned())
    };
    let cases = [
        // what is wrong inside is told first
        (between(Linear::new(matrix(2, 4, &[0.0; 8])).into(), &[9]), "between", "takes [4], but gets [3]"),
        (
            between(crate::nir::Scale::new(vector(&[1.0; 2])).into(), &[9]),
            "between",
            "parameter \"scale\": an array of shape [2] does not spread over [3]",
        ),
        (between(Identity::new([3]).into(), &[7]), "output", "its shape is [7], but \"between\" gives [3]"),
        (between(Identity::new([5]).into(), &[5]), "between", "its shape is [5], but \"scale\" gives [3]"),
        (between(flatten(&[5, 2]).into(), &[10]), "between", "its input_type is [5, 2], but \"scale\" gives [3]"),
    ];
    for (graph, node, expected) in &cases {
        let (found, message) = refusal(graph);
        assert_eq!(found, *node);
        assert!(message.starts_with(expected), "{message}");
    }
    let inner = between(Identity::new([3]).into(), &[7]);
    let outer = Graph::new().with_node("input", Input::new([3])).with_node("layer", inner).with_node("output", Output::new([3]));
    let outer = outer.with_chain(&["input", "layer", "output"]);
    assert_eq!(refusal(&outer).0, "layer/output");
    // extents of one say nothing about the order of numbers
    assert!(from_nir(&between(flatten(&[1, 3]).into(), &[1, 3, 1]), Semantics::exact(1.0)).is_ok());
}

#[test]
fn an_output_ends_the_graph() {
    let graph = Graph::new()
        .with_node("input", Input::new([1]))
        .with_node("output", Output::new([1]))
        .with_node("lif", lif(0.5))
        .with_chain(&["input", "output", "lif"]);
    let error = from_nir(&graph, Semantics::exact(1e-3)).expect_err("goes on");
    assert_eq!(error.node(), Some("output"));
    assert!(error.message().starts_with("an Output ends its graph, but an edge leads on to \"lif\""), "{error}");
}
