//! Loops that are compiled for several instruction sets, of which the best is taken while running.

/// Compiles a loop for AVX-512, for AVX2 and for any processor. Each falls back on the next, so that it is compiled once for each set and not once
/// for each fallback.
macro_rules! for_each_instruction_set {
    ($body:ident, $best:ident, $good:ident, $plain:ident, ($($name:ident: $kind:ty),*) $(-> $out:ty)?) => {
        #[multiversion::multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl"), dispatcher = "direct")]
        fn $best($($name: $kind),*) $(-> $out)? {
            multiversion::target::match_target! {
                "x86_64+avx512f+avx512bw+avx512dq+avx512vl" => $body($($name),*),
                _ => $good($($name),*),
            }
        }

        #[multiversion::multiversion(targets("x86_64+avx2"), dispatcher = "direct")]
        fn $good($($name: $kind),*) $(-> $out)? {
            multiversion::target::match_target! {
                "x86_64+avx2" => $body($($name),*),
                _ => $plain($($name),*),
            }
        }

        #[inline(never)]
        fn $plain($($name: $kind),*) $(-> $out)? {
            $body($($name),*)
        }
    };
}

pub(crate) use for_each_instruction_set;
