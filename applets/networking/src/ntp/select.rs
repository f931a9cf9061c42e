//! Which servers to believe, and what their clocks say together (RFC 5905 11.2).

/// What is known of a server's clock. Times are in seconds.
#[derive(Clone, Copy, Debug)]
pub struct Candidate {
    /// Which peer it is.
    pub index: usize,
    pub offset: f64,
    /// RFC 5905 11.2: how far the offset may be off.
    pub distance: f64,
    pub jitter: f64,
    pub stratum: u8,
}

/// The outcome.
#[derive(Debug, PartialEq)]
pub struct Selection {
    /// The best peer: what the system's own distance is counted from.
    pub index: usize,
    pub offset: f64,
    pub jitter: f64,
    /// How many peers agree.
    pub count: usize,
}

/// RFC 5905's NMIN: as many survive clustering at least.
const SURVIVORS: usize = 3;
/// RFC 5905's MAXDIST: a stratum counts as much.
pub const MAX_DISTANCE: f64 = 1.0;

/// None when there is no majority whose intervals have a point in common.
pub fn select(candidates: &[Candidate]) -> Option<Selection> {
    let (low, high) = intersection(candidates)?;
    let mut survivors: Vec<Candidate> = candidates
        .iter()
        .filter(|one| one.offset + one.distance >= low && one.offset - one.distance <= high)
        .copied()
        .collect();
    let merit = |one: &Candidate| f64::from(one.stratum) * MAX_DISTANCE + one.distance;
    survivors.sort_by(|a, b| merit(a).total_cmp(&merit(b)));
    cluster(&mut survivors);
    let best = survivors.first()?;
    // RFC 5905 11.2.3: the nearer a clock is, the more it weighs.
    let total: f64 = survivors.iter().map(|one| 1.0 / one.distance).sum();
    let mean =
        |value: &dyn Fn(&Candidate) -> f64| survivors.iter().map(|one| value(one) / one.distance).sum::<f64>() / total;
    let offset = mean(&|one| one.offset);
    let spread = mean(&|one| (one.offset - best.offset) * (one.offset - best.offset));
    let jitter = (spread + best.jitter * best.jitter).sqrt();
    Some(Selection { index: best.index, offset, jitter, count: survivors.len() })
}

/// RFC 5905 11.2.1: the smallest interval that has points of more than half of the intervals, with their middles.
fn intersection(candidates: &[Candidate]) -> Option<(f64, f64)> {
    let mut edges: Vec<(f64, i32)> = Vec::new();
    for one in candidates {
        edges.extend([(one.offset - one.distance, -1), (one.offset, 0), (one.offset + one.distance, 1)]);
    }
    edges.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let count = candidates.len();
    // So many are allowed to be false.
    for allowed in (0..count).take_while(|allowed| 2 * allowed < count) {
        let wanted = (count - allowed) as i32;
        let mut outside = 0;
        let mut edge = |kind: i32, edges: &mut dyn Iterator<Item = &(f64, i32)>| {
            let mut chime = 0;
            for (value, this) in edges {
                chime += this * kind;
                if chime >= wanted {
                    return Some(*value);
                }
                outside += usize::from(*this == 0);
            }
            None
        };
        let low = edge(-1, &mut edges.iter());
        let high = edge(1, &mut edges.iter().rev());
        if let (Some(low), Some(high)) = (low, high)
            && outside <= allowed
            && low <= high
        {
            return Some((low, high));
        }
    }
    None
}

/// RFC 5905 11.2.2: casts out the clock that is farthest from the others, as long as that makes them agree better.
fn cluster(survivors: &mut Vec<Candidate>) {
    while survivors.len() > SURVIVORS {
        let spread = |one: &Candidate| {
            let sum: f64 =
                survivors.iter().map(|other| (one.offset - other.offset) * (one.offset - other.offset)).sum();
            (sum / (survivors.len() - 1) as f64).sqrt()
        };
        let spreads: Vec<f64> = survivors.iter().map(spread).collect();
        let worst = (0..spreads.len()).max_by(|a, b| spreads[*a].total_cmp(&spreads[*b])).unwrap_or(0);
        let least = survivors.iter().map(|one| one.jitter).fold(f64::INFINITY, f64::min);
        if spreads[worst] <= least {
            return;
        }
        survivors.remove(worst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidates(clocks: &[(f64, f64)]) -> Vec<Candidate> {
        let one = |(index, (offset, distance)): (usize, &(f64, f64))| Candidate {
            index,
            offset: *offset,
            distance: *distance,
            jitter: 0.001,
            stratum: 2,
        };
        clocks.iter().enumerate().map(one).collect()
    }

    #[test]
    fn one_clock_is_believed() {
        let selection = select(&candidates(&[(0.5, 0.1)])).expect("a clock");
        assert_eq!((selection.index, selection.offset, selection.count), (0, 0.5, 1));
        assert_eq!(select(&[]), None);
    }

    #[test]
    fn a_false_clock_is_outvoted() {
        let selection = select(&candidates(&[(0.0, 0.1), (100.0, 0.01), (0.02, 0.1)])).expect("a majority");
        assert_eq!((selection.index, selection.count), (0, 2));
        assert!((selection.offset - 0.01).abs() < 1e-9);
    }

    #[test]
    fn two_clocks_that_differ_are_no_majority() {
        assert_eq!(select(&candidates(&[(0.0, 0.1), (100.0, 0.1)])), None);
        assert_eq!(select(&candidates(&[(0.0, 0.1), (1.0, 0.1), (2.0, 0.1), (3.0, 0.1)])), None);
    }

    #[test]
    fn the_farthest_of_many_is_cast_out() {
        let clocks = candidates(&[(0.0, 0.2), (0.001, 0.2), (0.002, 0.2), (0.15, 0.2)]);
        let selection = select(&clocks).expect("a majority");
        assert_eq!(selection.count, 3);
        assert!((selection.offset - 0.001).abs() < 1e-9);
    }
}
