//! Random graphs of all node types.

use isoform_formats::nir::*;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;

fn numbers(shape: Vec<usize>) -> BoxedStrategy<Tensor> {
    let n: usize = shape.iter().product();
    let of = move |data: TensorData| Tensor::new(shape.clone(), data).unwrap();
    prop_oneof![
        vec(any::<u32>(), n).prop_map(|bits| { TensorData::from(bits.into_iter().map(f32::from_bits).collect::<Vec<_>>()) }),
        vec(any::<u64>(), n).prop_map(|bits| { TensorData::from(bits.into_iter().map(f64::from_bits).collect::<Vec<_>>()) }),
        vec(any::<u16>(), n).prop_map(|bits| {
            let halves = bits.into_iter().map(half::f16::from_bits);
            TensorData::from(halves.collect::<Vec<_>>())
        }),
        vec(any::<i32>(), n).prop_map(TensorData::from),
        vec(any::<i8>(), n).prop_map(TensorData::from),
        vec(any::<u16>(), n).prop_map(TensorData::from),
        vec(any::<u64>(), n).prop_map(TensorData::from),
        vec(any::<bool>(), n).prop_map(TensorData::from),
    ]
    .prop_map(of)
    .boxed()
}

fn any_shape() -> impl Strategy<Value = Vec<usize>> {
    vec(0usize..4, 0..4)
}

fn value() -> BoxedStrategy<Value> {
    let text = "[a-zäß ]{0,8}";
    let leaf = prop_oneof![
        any_shape().prop_flat_map(numbers).prop_map(Value::from),
        text.prop_map(Value::Text),
        (1usize..3, 0usize..4)
            .prop_flat_map(move |(a, b)| { vec(text, a * b).prop_map(move |t| Value::Texts(Texts::new([a, b], t).unwrap())) }),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| btree_map(name(), inner, 0..4).prop_map(|map| Value::Map(map.into_iter().collect())))
        .boxed()
}

fn name() -> &'static str {
    "[a-z0-9_. äß]{1,6}x"
}

fn metadata() -> impl Strategy<Value = Map> {
    btree_map(name(), value(), 0..4).prop_map(|map| map.into_iter().collect())
}

fn ints(len: usize, range: std::ops::Range<i64>) -> BoxedStrategy<Ints> {
    prop_oneof![
        range.clone().prop_map(Ints::one),
        vec(range.clone(), len).prop_map(Ints::from),
        vec(range, len).prop_map(|v| {
            let narrow: Vec<i32> = v.into_iter().map(|x| x as i32).collect();
            Ints::new(Tensor::vector(narrow)).unwrap()
        }),
    ]
    .boxed()
}

fn padding(dims: usize) -> impl Strategy<Value = Padding> {
    prop_oneof![Just(Padding::Same), Just(Padding::Valid), ints(dims, 0..5).prop_map(Padding::Zeros),]
}

/// One node of each type that is no graph, with random parameters of fitting shapes.
pub(crate) fn leaf() -> BoxedStrategy<Node> {
    /// Independent arrays of one shape.
    fn same<const N: usize>() -> impl Strategy<Value = [Tensor; N]> {
        any_shape().prop_flat_map(|shape| vec(numbers(shape), N).prop_map(|v| <[Tensor; N]>::try_from(v).unwrap()))
    }
    let maybe = |t: Tensor, on: bool| on.then_some(t);
    let linear = (vec(1usize..3, 0..2), 1usize..4, 1usize..4).prop_flat_map(|(lead, out, inp)| {
        let bias = [lead.clone(), vec![out]].concat();
        let weight = [lead, vec![out, inp]].concat();
        (numbers(weight), numbers(bias))
    });
    let conv = |dims: usize| {
        (1usize..3, 1usize..3, 1usize..3, 1usize..4).prop_flat_map(move |(g, per, inp, k)| {
            let mut weight = vec![g * per, inp];
            weight.extend(std::iter::repeat_n(k, dims));
            (
                Just(Ints::one(g as i64)),
                numbers(weight),
                numbers(vec![g * per]),
                ints(dims, 1..4),
                padding(dims),
                ints(dims, 1..4),
                proptest::option::of(vec(1i64..40, dims).prop_map(Ints::from)),
            )
        })
    };
    let pool = || (ints(2, 1..5), ints(2, 1..5), ints(2, 0..5));
    let shape = || vec(0i64..9, 0..4).prop_map(Ints::from);
    prop_oneof![
        linear.clone().prop_map(|(w, b)| Node::from(Affine::new(w, b))),
        linear.prop_map(|(w, _)| Linear::new(w).into()),
        pool().prop_map(|(k, s, p)| AvgPool2d::new(k, s, p).into()),
        pool().prop_map(|(k, s, p)| SumPool2d::new(k, s, p).into()),
        conv(1).prop_map(|(g, w, b, s, p, d, i)| Conv1d::new(i, w, s, p, d, g, b).into()),
        conv(2).prop_map(|(g, w, b, s, p, d, i)| Conv2d::new(i, w, s, p, d, g, b).into()),
        same::<5>().prop_map(|[a, b, c, d, e]| CubaLi::new(a, b, c, d, e).into()),
        (same::<7>(), any::<bool>())
            .prop_map(move |([a, b, c, d, e, f, g], on)| { CubaLif::new(a, b, c, d, e, maybe(f, on), g).into() }),
        same::<1>().prop_map(|[a]| Delay::new(a).into()),
        (vec(0i64..9, 1..4), any::<bool>()).prop_map(|(input, known)| {
            let last = input.len() as i64 - 1;
            let input = known.then_some(Ints::from(input));
            Flatten::new(input, Ints::one(0), Ints::one(last)).into()
        }),
        same::<1>().prop_map(|[a]| I::new(a).into()),
        (same::<3>(), any::<bool>()).prop_map(move |([a, b, c], on)| If::new(a, b, maybe(c, on)).into()),
        shape().prop_map(|s| Identity::new(s).into()),
        shape().prop_map(|s| Input::new(s).into()),
        same::<3>().prop_map(|[a, b, c]| Li::new(a, b, c).into()),
        (same::<5>(), any::<bool>()).prop_map(move |([a, b, c, d, e], on)| Lif::new(a, b, c, d, maybe(e, on)).into()),
        shape().prop_map(|s| Output::new(s).into()),
        same::<1>().prop_map(|[a]| Scale::new(a).into()),
        same::<1>().prop_map(|[a]| Threshold::new(a).into()),
    ]
    .boxed()
}

/// A random graph, nested up to three levels.
pub(crate) fn graph() -> impl Strategy<Value = Graph> {
    let node = (leaf(), metadata()).prop_map(|(mut node, metadata)| {
        node.annotations_mut().metadata = metadata;
        node
    });
    let node = node.prop_recursive(3, 16, 5, |inner| join(inner).prop_map(Node::from));
    join(node)
}

fn join(node: impl Strategy<Value = Node>) -> impl Strategy<Value = Graph> {
    let nodes = btree_map(name(), node, 0..6);
    (nodes, vec((any::<u8>(), any::<u8>()), 0..8), metadata()).prop_map(|(nodes, ends, metadata)| {
        let mut graph = Graph::new();
        let names: Vec<String> = nodes.keys().cloned().collect();
        graph.nodes = nodes.into_iter().collect();
        graph.annotations.metadata = metadata;
        if !names.is_empty() {
            let pick = |i: u8| names[usize::from(i) % names.len()].clone();
            for (from, to) in ends {
                let edge = (pick(from), pick(to));
                if !graph.edges.contains(&edge) {
                    graph.edges.push(edge);
                }
            }
        }
        graph
    })
}
