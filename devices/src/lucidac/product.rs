//! Products of several states as multipliers of two inputs each.

use super::circuit::{INTEGRATORS, MULTIPLIERS};
use super::compile::too_many_multipliers;
use isoform_core::error::Result;

/// A product of integrators, ascending.
type Product = Vec<usize>;

/// The multipliers that are in use. A product that is formed once serves all terms that need it.
#[derive(Debug, Default)]
pub(super) struct Products {
    formed: Vec<(Product, [Product; 2])>,
}

impl Products {
    /// Makes sure that a product is formed.
    ///
    /// # Errors
    /// `Unsupported` if there are too few multipliers.
    pub(super) fn form(&mut self, product: &[usize]) -> Result<()> {
        if product.len() < 2 || self.find(product).is_some() {
            return Ok(());
        }
        let pair = self.split(product);
        for part in &pair {
            self.form(part)?;
        }
        if self.formed.len() == MULTIPLIERS {
            return Err(too_many_multipliers());
        }
        self.formed.push((product.to_vec(), pair));
        Ok(())
    }

    /// Two factors: the largest product that is there already and the rest, or else the halves.
    fn split(&self, product: &[usize]) -> [Product; 2] {
        let known = self.formed.iter().filter_map(|(p, _)| Some((p, without(product, p)?))).filter(|(_, rest)| !rest.is_empty());
        match known.max_by_key(|(p, _)| p.len()) {
            Some((p, rest)) => [p.clone(), rest],
            None => {
                let (a, b) = product.split_at(product.len() / 2);
                [a.to_vec(), b.to_vec()]
            }
        }
    }

    fn find(&self, product: &[usize]) -> Option<usize> {
        self.formed.iter().position(|(p, _)| p == product)
    }

    /// The factors of each multiplier.
    pub(super) fn pairs(&self) -> Vec<[Product; 2]> {
        self.formed.iter().map(|(_, pair)| pair.clone()).collect()
    }

    /// The output at which a product stands, and how many multipliers it went through.
    pub(super) fn source(&self, product: &[usize]) -> (u8, u32) {
        match self.find(product) {
            Some(m) => {
                let inside: u32 = self.formed[m].1.iter().map(|part| self.source(part).1).sum();
                (u8::try_from(INTEGRATORS + m).unwrap_or(u8::MAX), 1 + inside)
            }
            None => (product.first().and_then(|&s| u8::try_from(s).ok()).unwrap_or(u8::MAX), 0),
        }
    }
}

/// What is left of a product without the factors of another; nothing if they are not all in it.
fn without(product: &[usize], factors: &[usize]) -> Option<Product> {
    let mut rest = product.to_vec();
    for factor in factors {
        rest.remove(rest.iter().position(|f| f == factor)?);
    }
    Some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_share_multipliers() {
        let mut products = Products::default();
        products.form(&[0, 0]).expect("one");
        products.form(&[0, 0, 1]).expect("two");
        products.form(&[0, 0, 0, 0]).expect("three");
        assert_eq!(products.pairs().len(), 3);
        assert_eq!(products.source(&[3]), (3, 0));
        assert_eq!(products.source(&[0, 0, 1]), (9, 2));
        assert_eq!(products.source(&[0, 0, 0, 0]), (10, 3));
        products.form(&[1, 2]).expect("four");
        assert!(products.form(&[2, 2]).is_err());
        assert!(products.form(&[1, 2]).is_ok());
    }
}
