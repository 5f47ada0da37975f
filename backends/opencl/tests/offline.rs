//! Binaries: what was compiled ahead computes the same, and what is damaged or for something else never reaches the driver.

mod common;

use common::{input, program, substrate};
use isoform_core::draw::bits;
use isoform_core::error::ErrorKind;
use isoform_core::semantics::{Preset, Semantics};
use isoform_core::session::Blocking;
use isoform_core::substrate::Run;
use isoform_opencl::container::{Container, hash};
use isoform_opencl::offline::{build, emit};
use isoform_opencl::{OpenClSubstrate, Options, Style};
use std::path::Path;

fn run(substrate: &OpenClSubstrate, semantics: Semantics, batch: usize) -> isoform_core::error::Result<Vec<f32>> {
    Blocking::open(substrate, &program(semantics), &Run::new().with_batch(batch))?.run(&input(60))
}

#[test]
fn a_binary_computes_the_same() {
    let folder = tempfile::tempdir().expect("a folder");
    for style in [Style::Grid, Style::Task] {
        let options = Options::new().with_style(style);
        let Some(compiler) = substrate(options.clone()) else { return };
        let file = folder.path().join("net.bin");
        std::fs::write(&file, build(&compiler, &program(Semantics::exact(1.0)), 2).expect("builds")).expect("writes");
        let loaded = substrate(options.with_binary(&file)).expect("was there before");
        assert_eq!(
            run(&loaded, Semantics::exact(1.0), 2).expect("runs"),
            run(&compiler, Semantics::exact(1.0), 2).expect("runs")
        );
        // neither another program, nor another batch, nor another style
        for (semantics, batch) in [(Preset::Norse.semantics(1.0), 2), (Semantics::exact(1.0), 1)] {
            let refused = run(&loaded, semantics, batch).expect_err("refused");
            assert_eq!(refused.kind(), ErrorKind::Unsupported, "{refused}");
        }
        let other = if style == Style::Grid { Style::Task } else { Style::Grid };
        let other = substrate(Options::new().with_style(other).with_binary(&file)).expect("was there before");
        assert!(run(&other, Semantics::exact(1.0), 2).expect_err("refused").to_string().contains("it was built for style"));
        // a parameter may change, as long as the kernels stay
        let session = Blocking::open(&loaded, &program(Semantics::exact(1.0)), &Run::new().with_batch(2));
        let mut session = session.expect("realises");
        assert_eq!(session.write("neurons", "r", &[1.0, 1.0]).expect("writes"), [1.0, 1.0]);
        let refused = session.write("neurons", "v_leak", &[0.5]).expect_err("needs another kernel");
        assert!(refused.to_string().contains("build another binary"), "{refused}");
        assert_eq!(session.read("neurons", "v_leak").expect("reads"), [0.0]);
        session.run(&input(10)).expect("goes on");
    }
}

#[test]
fn a_thousand_damaged_containers_are_refused() {
    let Some(compiler) = substrate(Options::new()) else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let whole = build(&compiler, &program(Semantics::exact(1.0)), 2).expect("builds");
    let file = folder.path().join("net.bin");
    let loaded = substrate(Options::new().with_binary(&file)).expect("was there before");
    let refuse = |bytes: &[u8], what: &str, file: &Path| {
        std::fs::write(file, bytes).expect("writes");
        match run(&loaded, Semantics::exact(1.0), 2) {
            Ok(_) => panic!("{what} was taken"),
            Err(refused) => assert_eq!(refused.kind(), ErrorKind::Unsupported, "{refused}"),
        }
    };
    for k in 0..500 {
        let end = bits(1, 0, k, 0, 0) as usize % whole.len();
        refuse(&whole[..end], &format!("a truncation to {end} bytes"), &file);
        let place = bits(1, 0, k, 1, 0) as usize % whole.len();
        let mut flipped = whole.clone();
        flipped[place] ^= 1 << (bits(1, 0, k, 2, 0) % 8);
        refuse(&flipped, &format!("a flip at {place}"), &file);
    }
    std::fs::write(&file, &whole).expect("writes");
    run(&loaded, Semantics::exact(1.0), 2).expect("the whole one still runs");
}

#[test]
fn a_sealed_container_for_other_kernels_is_stale() {
    let Some(compiler) = substrate(Options::new()) else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let bytes = build(&compiler, &program(Semantics::exact(1.0)), 2).expect("builds");
    let mut container = Container::from_bytes(&bytes).expect("reads");
    container.header.source = hash("other kernels");
    let file = folder.path().join("stale.bin");
    std::fs::write(&file, container.to_bytes().expect("fits")).expect("writes");
    let loaded = substrate(Options::new().with_binary(&file)).expect("was there before");
    assert!(run(&loaded, Semantics::exact(1.0), 2).expect_err("refused").to_string().contains("it was built for kernels"));
}

#[test]
fn source_needs_no_device() {
    let (text, manifest) = emit(&program(Semantics::exact(1.0)), 2, Style::Task).expect("lowers");
    assert_eq!(manifest.source_sha256, hash(&text));
    assert_eq!((manifest.kernels.len(), manifest.kernels[0].name.as_str()), (1, "run_program"));
    assert_eq!(manifest.kernels[0].arguments.len(), 6 + manifest.buffers.len());
    let (_, manifest) = emit(&program(Semantics::exact(1.0)), 2, Style::Grid).expect("lowers");
    assert!(manifest.kernels.len() > 3);
}
