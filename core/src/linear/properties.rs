//! Laws that every kind of linear map obeys, tried on random maps.

use super::{AvgPool2d, Conv1d, Conv2d, Dense, LinearMap, Padding, Pooling, Sparse, SumPool2d, Window};
use crate::tensor::Tensor;
use proptest::prelude::*;

fn tensor(shape: Vec<usize>) -> impl Strategy<Value = Tensor> {
    let count = shape.iter().product::<usize>();
    prop::collection::vec(-4.0..4.0_f64, count).prop_map(move |numbers| Tensor::new(shape.clone(), numbers).expect("fits"))
}

/// A parameter of this shape that may be absent.
fn maybe(shape: Vec<usize>) -> impl Strategy<Value = Option<Tensor>> {
    prop::option::of(tensor(shape))
}

fn signal(map: &LinearMap) -> impl Strategy<Value = Vec<f64>> + use<> {
    prop::collection::vec(prop_oneof![Just(0.0), -8.0..8.0_f64], map.input().len())
}

fn dense() -> impl Strategy<Value = LinearMap> {
    (prop::collection::vec(1_usize..4, 0..3), 1_usize..6, 1_usize..6, any::<bool>(), any::<bool>())
        .prop_flat_map(|(lead, rows, cols, own, wide)| {
            let weight = if own { [&lead[..], &[rows, cols]].concat() } else { vec![rows, cols] };
            let bias = if wide { [&lead[..], &[rows]].concat() } else { vec![rows] };
            (Just(lead), tensor(weight), maybe(bias))
        })
        .prop_map(|(lead, weight, bias)| Dense::over(lead, weight, bias).expect("fits").into())
}

fn sparse() -> impl Strategy<Value = LinearMap> {
    (1_usize..6, 1_usize..6)
        .prop_flat_map(|(rows, cols)| {
            let entries = prop::collection::btree_map((0..rows, 0..cols), -4.0..4.0_f64, 0..=rows * cols);
            (Just((rows, cols)), entries, maybe(vec![rows]))
        })
        .prop_map(|((rows, cols), entries, bias)| {
            let entries = entries.into_iter().map(|((row, col), w)| (row, col, w));
            Sparse::new(cols, rows, entries, bias).expect("fits").into()
        })
}

/// Extent, kernel, stride, dilation and padding of an axis; not all go together.
type Slide = (usize, usize, usize, usize, usize);

fn slide() -> impl Strategy<Value = Slide> {
    (1_usize..9, 1_usize..4, 1_usize..4, 1_usize..4, 0_usize..4)
}

fn conv1d() -> impl Strategy<Value = Conv1d> {
    (1_usize..3, 1_usize..3, 1_usize..3, slide(), any::<bool>())
        .prop_flat_map(|(groups, inputs, outputs, axis, same)| {
            let weight = vec![groups * outputs, inputs, axis.1];
            (Just((groups, inputs, axis, same)), tensor(weight), maybe(vec![groups * outputs]))
        })
        .prop_filter_map("the kernel does not fit", |((groups, inputs, (n, _, s, d, p), same), weight, bias)| {
            let window = Window { stride: [s], padding: Padding::Each([p]), dilation: [d], groups };
            let window = if same { window.with_stride([1]).with_padding(Padding::Same) } else { window };
            Conv1d::new([groups * inputs, n], weight, bias, window).ok()
        })
}

fn conv2d() -> impl Strategy<Value = Conv2d> {
    (1_usize..3, 1_usize..3, 1_usize..3, [slide(), slide()], any::<bool>())
        .prop_flat_map(|(groups, inputs, outputs, axes, same)| {
            let weight = vec![groups * outputs, inputs, axes[0].1, axes[1].1];
            (Just((groups, inputs, axes, same)), tensor(weight), maybe(vec![groups * outputs]))
        })
        .prop_filter_map("the kernel does not fit", |((groups, inputs, [a, b], same), weight, bias)| {
            let window = Window { stride: [a.2, b.2], padding: Padding::Each([a.4, b.4]), dilation: [a.3, b.3], groups };
            let window = if same { window.with_stride([1, 1]).with_padding(Padding::Same) } else { window };
            Conv2d::new([groups * inputs, a.0, b.0], weight, bias, window).ok()
        })
}

fn pool() -> impl Strategy<Value = LinearMap> {
    (1_usize..4, slide(), slide(), any::<bool>()).prop_filter_map("the kernel does not fit", |(channels, a, b, mean)| {
        let pooling = Pooling { kernel: [a.1, b.1], stride: [a.2, b.2], padding: [a.4, b.4] };
        let input = [channels, a.0, b.0];
        if mean {
            AvgPool2d::new(input, pooling).ok().map(Into::into)
        } else {
            SumPool2d::new(input, pooling).ok().map(Into::into)
        }
    })
}

fn map() -> impl Strategy<Value = LinearMap> {
    prop_oneof![dense(), sparse(), conv1d().prop_map(LinearMap::from), conv2d().prop_map(LinearMap::from), pool()]
}

fn apply(map: &LinearMap, x: &[f64]) -> Vec<f64> {
    let mut y = vec![f64::NAN; map.output().len()];
    map.apply(x, &mut y);
    y
}

fn bits(y: &[f64]) -> Vec<u64> {
    y.iter().map(|v| v.to_bits()).collect()
}

/// What a convolution straight from its definition needs; one along one axis has a single row.
struct Naive {
    input: [usize; 3],
    weight: Tensor,
    kernel: [usize; 2],
    bias: Option<Tensor>,
    stride: [usize; 2],
    before: [usize; 2],
    after: [usize; 2],
    dilation: [usize; 2],
    groups: usize,
}

impl Naive {
    fn of_conv1d(conv: &Conv1d) -> Self {
        let (&[channels, n], &[.., taps]) = (conv.input().extents(), conv.weight().shape().extents()) else {
            unreachable!("two and three extents")
        };
        let Window { stride: [s], padding: Padding::Each([p]), dilation: [d], groups } = conv.window() else {
            unreachable!("in numbers")
        };
        Self {
            input: [channels, 1, n],
            weight: conv.weight().clone(),
            kernel: [1, taps],
            bias: conv.bias().cloned(),
            stride: [1, s],
            before: [0, p],
            after: [0, conv.pad_after()[0]],
            dilation: [1, d],
            groups,
        }
    }

    fn of_conv2d(conv: &Conv2d) -> Self {
        let (&[channels, height, width], &[.., rows, cols]) = (conv.input().extents(), conv.weight().shape().extents()) else {
            unreachable!("three and four extents")
        };
        let Window { stride, padding: Padding::Each(before), dilation, groups } = conv.window() else {
            unreachable!("in numbers")
        };
        Self {
            input: [channels, height, width],
            weight: conv.weight().clone(),
            kernel: [rows, cols],
            bias: conv.bias().cloned(),
            stride,
            before,
            after: conv.pad_after(),
            dilation,
            groups,
        }
    }

    /// The sum over a padded copy of the input, with the output extents counted by sliding the kernel until it leaves.
    fn apply(&self, x: &[f64]) -> Vec<f64> {
        let [channels, height, width] = self.input;
        let [kernel_rows, kernel_cols] = self.kernel;
        let rows = self.before[0] + height + self.after[0];
        let cols = self.before[1] + width + self.after[1];
        let mut padded = vec![0.0; channels * rows * cols];
        for c in 0..channels {
            for h in 0..height {
                for w in 0..width {
                    padded[(c * rows + h + self.before[0]) * cols + w + self.before[1]] = x[(c * height + h) * width + w];
                }
            }
        }
        let starts = |extent: usize, axis: usize| {
            let span = (self.kernel[axis] - 1) * self.dilation[axis];
            (0..extent).step_by(self.stride[axis]).take_while(move |start| start + span < extent)
        };
        let per_group = channels / self.groups;
        let filters = self.weight.len() / (per_group * kernel_rows * kernel_cols);
        let mut y = Vec::new();
        for filter in 0..filters {
            for row in starts(rows, 0) {
                for col in starts(cols, 1) {
                    let mut sum = self.bias.as_ref().map_or(0.0, |b| b.at(filter));
                    for i in 0..per_group {
                        for j in 0..kernel_rows {
                            for k in 0..kernel_cols {
                                let c = filter / (filters / self.groups) * per_group + i;
                                let weight = self.weight.at(((filter * per_group + i) * kernel_rows + j) * kernel_cols + k);
                                sum +=
                                    weight * padded[(c * rows + row + j * self.dilation[0]) * cols + col + k * self.dilation[1]];
                            }
                        }
                    }
                    y.push(sum);
                }
            }
        }
        y
    }
}

proptest! {
    #[test]
    fn apply_is_the_sum_of_the_terms_in_order((map, x) in map().prop_flat_map(|map| { let x = signal(&map); (Just(map), x) })) {
        let mut sums: Vec<f64> = (0..map.output().len()).map(|out| map.bias_at(out)).collect();
        let mut magnitudes: Vec<f64> = sums.iter().map(|b| b.abs()).collect();
        let mut terms = vec![0; sums.len()];
        let mut last = None;
        map.for_each_term(|out, input, w| {
            sums[out] += w * x[input];
            magnitudes[out] += w.abs() * x[input];
            terms[out] += 1;
            assert!(last < Some((out, input)), "terms ascend");
            last = Some((out, input));
        });
        prop_assert_eq!(bits(&apply(&map, &x)), bits(&sums));
        let mut y = vec![f64::NAN; sums.len()];
        map.apply_magnitude(&x, &mut y);
        prop_assert_eq!(bits(&y), bits(&magnitudes));
        prop_assert!(terms.iter().all(|&count| count <= map.terms_per_output()));
        prop_assert_eq!(map.has_bias(), map.parameters().iter().any(|(name, _)| *name == "bias"));
    }

    #[test]
    fn a_map_equals_the_matrix_of_its_terms((map, x) in map().prop_flat_map(|map| { let x = signal(&map); (Just(map), x) })) {
        let (rows, cols) = (map.output().len(), map.input().len());
        let mut matrix = vec![0.0; rows * cols];
        let mut entries = Vec::new();
        map.for_each_term(|out, input, w| {
            matrix[out * cols + input] = w;
            entries.push((out, input, w));
        });
        let biases: Vec<f64> = (0..rows).map(|out| map.bias_at(out)).collect();
        let y = bits(&apply(&map, &x));
        let dense = Dense::new(Tensor::new([rows, cols], matrix).expect("fits"), Some(biases.clone().into())).expect("fits");
        prop_assert_eq!(bits(&apply(&dense.into(), &x)), y.clone());
        let sparse = Sparse::new(cols, rows, entries, Some(biases.into())).expect("fits");
        prop_assert_eq!(bits(&apply(&sparse.into(), &x)), y);
    }

    #[test]
    fn sums_and_multiples_pass_through(
        (map, x, z) in map().prop_flat_map(|map| { let (x, z) = (signal(&map), signal(&map)); (Just(map), x, z) }), scale in -3.0..3.0_f64
    ) {
        // f(x + a·z) − f(0) = (f(x) − f(0)) + a·(f(z) − f(0)), within the rounding of both sides.
        let zero = vec![0.0; x.len()];
        let mixed: Vec<f64> = x.iter().zip(&z).map(|(x, z)| x + scale * z).collect();
        let absolute: Vec<f64> = x.iter().zip(&z).map(|(x, z)| x.abs() + (scale * z).abs()).collect();
        let mut size = vec![0.0; map.output().len()];
        map.apply_magnitude(&absolute, &mut size);
        let (fx, fz, f0, fm) = (apply(&map, &x), apply(&map, &z), apply(&map, &zero), apply(&map, &mixed));
        let roundings = 4.0 * (map.terms_per_output() as f64 + 4.0) * f64::EPSILON;
        for out in 0..fm.len() {
            let expected = (fx[out] - f0[out]) + scale * (fz[out] - f0[out]);
            let bound = roundings * (size[out] + 2.0 * (1.0 + scale.abs()) * f0[out].abs());
            prop_assert!((fm[out] - f0[out] - expected).abs() <= bound, "{} against {expected}", fm[out] - f0[out]);
        }
    }

    #[test]
    fn a_convolution_along_two_axes_is_its_naive_loop(
        (conv, x) in conv2d().prop_flat_map(|conv| { let x = signal(&conv.clone().into()); (Just(conv), x) })
    ) {
        let expected = Naive::of_conv2d(&conv).apply(&x);
        prop_assert_eq!(bits(&apply(&conv.into(), &x)), bits(&expected));
    }

    #[test]
    fn a_convolution_along_one_axis_is_its_naive_loop(
        (conv, x) in conv1d().prop_flat_map(|conv| { let x = signal(&conv.clone().into()); (Just(conv), x) })
    ) {
        let expected = Naive::of_conv1d(&conv).apply(&x);
        prop_assert_eq!(bits(&apply(&conv.into(), &x)), bits(&expected));
    }
}
