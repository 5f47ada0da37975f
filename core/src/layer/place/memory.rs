//! The portable state of the whole, put together from those of the parts and from the kept rows.

use super::cut::{Cut, Purpose};
use super::realization::{Part, Placed, settle};
use crate::error::{Error, Result};
use crate::program::Program;
use crate::schedule::Content;
use crate::state::{self, State};
use crate::substrate::Memory;
use async_trait::async_trait;

/// Where the numbers of a block are: the newest ones in a kept row, the others in a block of a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Home {
    kept: Option<usize>,
    part: Option<(usize, usize)>,
}

/// Where each block of the state of a program is.
pub(super) fn homes(program: &Program, cut: &Cut, parts: &[Part]) -> Vec<Home> {
    let blocks = program.schedule().memory.iter().map(|block| {
        let kept = match block.content {
            Content::Previous(port) => cut.find_kept(Purpose::Late(block.node, port)),
            Content::Line { port, .. } => cut.find_kept(Purpose::Relief(block.node, port)),
            Content::State(_) => None,
        };
        let wanted = (program.nodes()[block.node].name.as_str(), state::name(program, block.node, block.content));
        let part = cut.segment(block.node).and_then(|index| {
            let own = &parts.get(index)?.program;
            let is_it = |m: &crate::schedule::MemoryBlock| {
                own.nodes()[m.node].name == wanted.0 && state::name(own, m.node, m.content) == wanted.1
            };
            own.schedule().memory.iter().position(is_it).map(|at| (index, at))
        });
        Home { kept, part }
    });
    blocks.collect()
}

fn facet(part: &mut Part) -> Result<&mut dyn Memory> {
    part.inner.memory().ok_or_else(|| Error::unsupported("it claims to save its state, but does not").with_locator(&part.key))
}

fn blame(part: &Part, e: Error) -> Error {
    super::blame(e, &part.key, &part.node)
}

/// How many numbers of a lane come first from the kept row, and how many then from the part.
fn widths(placed: &Placed, home: Home, len: usize) -> (usize, usize) {
    let kept = home.kept.map_or(0, |k| placed.kept[k].len() / placed.run.batch.max(1)).min(len);
    (kept, len - kept)
}

#[async_trait]
impl Memory for Placed {
    async fn save(&mut self) -> Result<State> {
        let mut states = Vec::with_capacity(self.parts.len());
        for part in &mut self.parts {
            let saved = facet(part)?.save().await;
            let saved = saved.and_then(|s| s.check(&part.program, s.batch).map(|()| s));
            states.push(saved.map_err(|e| blame(part, e))?);
        }
        let mut whole = State::initial(&self.program, self.run.batch);
        whole.tick = self.tick;
        for (block, &home) in whole.blocks.iter_mut().zip(&self.homes) {
            let len = block.values.len() / self.run.batch.max(1);
            let (newest, older) = widths(self, home, len);
            for (lane, values) in block.values.chunks_exact_mut(len.max(1)).enumerate() {
                if let Some(kept) = home.kept {
                    let row = &self.kept[kept][lane * newest..(lane + 1) * newest];
                    values[..newest].iter_mut().zip(row).for_each(|(to, &v)| *to = f64::from(v));
                }
                if let Some((part, at)) = home.part {
                    values[newest..].copy_from_slice(&states[part].blocks[at].values[lane * older..(lane + 1) * older]);
                }
            }
        }
        Ok(whole)
    }

    #[expect(clippy::cast_possible_truncation, reason = "rows go from substrate to substrate in single precision")]
    async fn load(&mut self, state: &State) -> Result<()> {
        state.check(&self.program, self.run.batch)?;
        let batch = self.run.batch;
        let mut states: Vec<State> = self.parts.iter().map(|part| State::initial(&part.program, batch)).collect();
        states.iter_mut().for_each(|s| s.tick = state.tick);
        let mut rows = self.kept.clone();
        for (block, &home) in state.blocks.iter().zip(&self.homes) {
            let len = block.values.len() / batch.max(1);
            let (newest, older) = widths(self, home, len);
            for (lane, values) in block.values.chunks_exact(len.max(1)).enumerate() {
                if let Some(kept) = home.kept {
                    let row = &mut rows[kept][lane * newest..(lane + 1) * newest];
                    row.iter_mut().zip(values).for_each(|(to, &v)| *to = v as f32);
                    if let Some(v) = row.iter().find(|v| !v.is_finite()) {
                        let why = format!(
                            "block {}.{} goes between substrates and holds {v} in single precision",
                            block.node, block.name
                        );
                        return Err(Error::invalid_signal(why));
                    }
                }
                if let Some((part, at)) = home.part {
                    states[part].blocks[at].values[lane * older..(lane + 1) * older].copy_from_slice(&values[newest..]);
                }
            }
        }
        for (n, (part, own)) in self.parts.iter_mut().zip(&states).enumerate() {
            let loaded = facet(part)?.load(own).await;
            loaded.map_err(|e| blame(part, settle(e, n > 0)))?;
        }
        self.kept = rows;
        self.tick = state.tick;
        Ok(())
    }
}
