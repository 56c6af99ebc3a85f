//! Exact division of a total among weights.

/// Apportions `total` among `weights`: cell i gets `floor(total·W(i+1)/W) − floor(total·W(i)/W)`.
/// The cells sum to the total, and each is less than one row off. All-zero weights count as equal.
pub fn apportion(total: u64, weights: &[u64]) -> Vec<u64> {
    let sum: u128 = weights.iter().map(|&w| u128::from(w)).sum();
    let even = sum == 0;
    let sum = if even { weights.len() as u128 } else { sum };
    let (mut cumulative, mut given) = (0u128, 0u64);
    weights
        .iter()
        .map(|&w| {
            cumulative += if even { 1 } else { u128::from(w) };
            let until = (u128::from(total) * cumulative / sum) as u64;
            let cell = until - given;
            given = until;
            cell
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn cells_sum_to_the_total_and_are_within_one_row(
            total in 0u64..1 << 40,
            weights in proptest::collection::vec(0u64..1 << 30, 1..200),
        ) {
            let cells = apportion(total, &weights);
            prop_assert_eq!(cells.iter().sum::<u64>(), total);
            let sum: u128 = weights.iter().map(|&w| u128::from(w)).sum();
            for (cell, &weight) in cells.iter().zip(&weights) {
                if let Some(exact) = (u128::from(total) * u128::from(weight)).checked_div(sum) {
                    prop_assert!(u128::from(*cell) + 1 >= exact && u128::from(*cell) <= exact + 1);
                }
            }
        }
    }
}
