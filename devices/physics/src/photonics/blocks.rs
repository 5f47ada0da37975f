//! Rows of numbers as blocks, in which each number of a row stands beside its like of other rows, and back.

/// Rows in a block.
pub(super) const ROWS: usize = 16;
/// One number of each row.
pub(super) type Block = [f32; ROWS];

/// One channel of a sum of ranges of blocks, each given by its start.
#[inline(always)]
pub(super) fn sum(values: &[Block], from: &[usize], channel: usize) -> Block {
    from.iter().fold([0.0; ROWS], |mut sum, start| {
        sum.iter_mut().zip(&values[start + channel]).for_each(|(s, v)| *s += v);
        sum
    })
}

/// Rows and columns of a tile, which is turned in registers.
const TILE: usize = 4;

/// Rows `[row, column]` as one block for each column; rows that are not there are noughts.
pub(super) fn gather(rows: &[f32], to: &mut [Block]) {
    let columns = to.len().max(1);
    if rows.len() < ROWS * columns {
        to.fill([0.0; ROWS]);
        for (k, row) in rows.chunks_exact(columns).enumerate() {
            to.iter_mut().zip(row).for_each(|(block, &v)| block[k] = v);
        }
        return;
    }
    let (tiles, rest) = to.as_chunks_mut::<TILE>();
    for (c, tile) in tiles.iter_mut().enumerate() {
        for k in (0..ROWS).step_by(TILE) {
            let mut part = [[0.0; TILE]; TILE];
            for (r, part) in part.iter_mut().enumerate() {
                part.copy_from_slice(&rows[(k + r) * columns + c * TILE..][..TILE]);
            }
            for (i, block) in tile.iter_mut().enumerate() {
                for r in 0..TILE {
                    block[k + r] = part[r][i];
                }
            }
        }
    }
    let first = columns - rest.len();
    for (i, block) in rest.iter_mut().enumerate() {
        block.iter_mut().enumerate().for_each(|(k, v)| *v = rows[k * columns + first + i]);
    }
}

/// One block for each column as rows `[row, column]`, as many as there is room for.
pub(super) fn scatter(blocks: &[Block], rows: &mut [f32]) {
    let columns = blocks.len().max(1);
    if rows.len() < ROWS * columns {
        for (k, row) in rows.chunks_exact_mut(columns).enumerate() {
            row.iter_mut().zip(blocks).for_each(|(v, block)| *v = block[k]);
        }
        return;
    }
    let (tiles, rest) = blocks.as_chunks::<TILE>();
    for (c, tile) in tiles.iter().enumerate() {
        for k in (0..ROWS).step_by(TILE) {
            for r in 0..TILE {
                let row = &mut rows[(k + r) * columns + c * TILE..][..TILE];
                for i in 0..TILE {
                    row[i] = tile[i][k + r];
                }
            }
        }
    }
    let first = columns - rest.len();
    for (i, block) in rest.iter().enumerate() {
        block.iter().enumerate().for_each(|(k, v)| rows[k * columns + first + i] = *v);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_columns_and_become_their_rows_again() {
        for columns in [1, 3, 4, 7, 12] {
            for count in [0, 1, 5, 15, 16] {
                let rows: Vec<f32> = (0..columns * count).map(|i| i as f32 + 1.0).collect();
                let mut blocks = vec![[-1.0; ROWS]; columns];
                gather(&rows, &mut blocks);
                for (c, block) in blocks.iter().enumerate() {
                    for (k, v) in block.iter().enumerate() {
                        assert_eq!(*v, if k < count { rows[k * columns + c] } else { 0.0 }, "{columns} {count}");
                    }
                }
                let mut back = vec![0.0; rows.len()];
                scatter(&blocks, &mut back);
                assert_eq!(back, rows);
            }
        }
    }
}
