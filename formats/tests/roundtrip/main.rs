//! Graphs and recorded data survive a file bit for bit.

mod graphs;

use isoform_formats::nir::*;
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_graph_survives(graph in graphs::graph()) {
        let bytes = to_bytes(&graph, Compat::Latest).unwrap();
        let back = from_bytes(&bytes).unwrap();
        prop_assert_eq!(back.version.as_deref(), Some("1.0.8"));
        prop_assert!(back.not_kept.is_empty());
        prop_assert_eq!(Graph { version: None, ..back }, graph);
    }

    #[test]
    fn for_1_0_4_a_graph_survives_or_is_refused(node in graphs::leaf()) {
        let graph = Graph::new().with_node("n", node.clone());
        let reset = match &node {
            Node::If(n) => n.v_reset.clone(),
            Node::Lif(n) => n.v_reset.clone(),
            Node::CubaLif(n) => n.v_reset.clone(),
            _ => None,
        };
        let same = matches!(&node, Node::Conv1d(n) if n.padding == Padding::Same);
        let newer = same || matches!(node, Node::CubaLi(_) | Node::Identity(_));
        match to_bytes(&graph, Compat::V1_0_4) {
            Ok(bytes) => {
                prop_assert!(!newer && reset.as_ref().is_none_or(Tensor::is_zero));
                let back = from_bytes(&bytes).unwrap();
                if reset.is_none() {
                    prop_assert_eq!(&back.nodes["n"], &node);
                }
            }
            Err(error) => {
                prop_assert!(newer || !reset.unwrap().is_zero());
                prop_assert_eq!(error.node(), Some("n"));
                let not_held = matches!(error.kind(), NirErrorKind::NotInVersion { .. });
                prop_assert!(not_held);
            }
        }
    }
}

/// The random nodes above cover every type.
#[test]
fn every_type_is_drawn() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut seen = std::collections::BTreeSet::from(["NIRGraph"]);
    for _ in 0..2000 {
        let node = graphs::leaf().new_tree(&mut runner).unwrap().current();
        seen.insert(node.type_name());
    }
    let mut all: Vec<_> = Node::TYPES.to_vec();
    all.sort_unstable();
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), all);
    assert_eq!(all.len(), 20);
}

/// Python `nir` asks all parameters of a neuron for one shape, so they are written in one.
#[test]
fn broadcast_parameters_are_written_in_their_common_shape() {
    let lif = Lif::new(Tensor::filled(2, 0.5), Tensor::from(1.0f32), Tensor::from(0.0f64), Tensor::filled(1, 1.0), None);
    let graph = Graph::new().with_node("lif", lif);
    let back = from_bytes(&to_bytes(&graph, Compat::Latest).unwrap()).unwrap();
    let expected =
        Lif::new(Tensor::filled(2, 0.5), Tensor::filled(2, 1.0), Tensor::vector(vec![0.0f64; 2]), Tensor::filled(2, 1.0), None);
    assert_eq!(back.nodes["lif"], Node::from(expected));
}

/// Groups with many entries are stored in another way than small ones.
#[test]
fn a_thousand_nodes_survive() {
    let mut graph = Graph::new();
    for i in 0..1000 {
        graph = graph.with_node(format!("n{i}"), Scale::new(Tensor::from(i as f32)));
        if i > 0 {
            graph = graph.with_edge(format!("n{}", i - 1), format!("n{i}"));
        }
    }
    let back = from_bytes(&to_bytes(&graph, Compat::Latest).unwrap()).unwrap();
    assert_eq!((back.nodes, back.edges), (graph.nodes, graph.edges));
}

#[test]
fn recorded_data_survives() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data");
    let data = read_data(format!("{folder}/data_1.0.8.nir")).unwrap();
    let back = data_from_bytes(&data_to_bytes(&data).unwrap()).unwrap();
    assert_eq!(back, data);
    let mut nested = GraphData::default();
    nested.nodes.insert("inner".to_owned(), NodeData::Graph(data));
    let back = data_from_bytes(&data_to_bytes(&nested).unwrap()).unwrap();
    assert_eq!(back, nested);
}
