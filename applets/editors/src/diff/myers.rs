//! Which lines differ: E. W. Myers, "An O(ND) Difference Algorithm and Its Variations" (1986), in linear space, section 4b.
//!
//! Where both files differ so much that the cost of the search would grow quadratically, the search ends after a fixed
//! number of steps and splits at the point that it has reached. So the time is bounded by the number of lines times that
//! number.

/// The number of steps after which a search takes what it has. `-d` knows no such number.
const MOST_STEPS: i32 = 256;

/// Two sequences of classes of lines, and the search between them.
pub struct Search<'a> {
    one: &'a [u32],
    two: &'a [u32],
    /// The furthest point on each diagonal: from the start, and from the end.
    forward: Vec<i32>,
    backward: Vec<i32>,
    /// The index of diagonal 0 in both.
    zero: i32,
}

/// A part of both sequences, `x` in the first and `y` in the second.
#[derive(Clone, Copy)]
struct Block {
    x: (i32, i32),
    y: (i32, i32),
    /// However long the search takes.
    minimal: bool,
}

impl<'a> Search<'a> {
    /// A search between two sequences, both shorter than 2^30.
    pub fn new(one: &'a [u32], two: &'a [u32]) -> Self {
        let size = one.len() + two.len() + 3;
        Self { one, two, forward: vec![0; size], backward: vec![0; size], zero: two.len() as i32 + 1 }
    }

    /// Marks the elements of both sequences that are not in the common subsequence. Blocks wait on a list, not on the stack.
    pub fn run(&mut self, minimal: bool, changed: [&mut [bool]; 2]) {
        let whole = Block { x: (0, self.one.len() as i32), y: (0, self.two.len() as i32), minimal };
        let mut waiting = vec![whole];
        while let Some(mut block) = waiting.pop() {
            self.trim(&mut block);
            let Block { x: (left, right), y: (top, bottom), minimal } = block;
            if left == right || top == bottom {
                changed[0][left as usize..right as usize].fill(true);
                changed[1][top as usize..bottom as usize].fill(true);
                continue;
            }
            let (x, y, sure) = self.split(block);
            waiting.push(Block { x: (x, right), y: (y, bottom), minimal: minimal || sure[1] });
            waiting.push(Block { x: (left, x), y: (top, y), minimal: minimal || sure[0] });
        }
    }

    fn equal(&self, x: i32, y: i32) -> bool {
        self.one[x as usize] == self.two[y as usize]
    }

    /// Takes off what is equal at both ends.
    fn trim(&self, Block { x, y, .. }: &mut Block) {
        while x.0 < x.1 && y.0 < y.1 && self.equal(x.0, y.0) {
            (x.0, y.0) = (x.0 + 1, y.0 + 1);
        }
        while x.0 < x.1 && y.0 < y.1 && self.equal(x.1 - 1, y.1 - 1) {
            (x.1, y.1) = (x.1 - 1, y.1 - 1);
        }
    }

    /// A point on a shortest path through the block, and for the blocks before and after it whether a search in them is
    /// known to be short.
    fn split(&mut self, block: Block) -> (i32, i32, [bool; 2]) {
        let Block { x, y, minimal } = block;
        let (lowest, highest) = (x.0 - y.1, x.1 - y.0);
        let (start, end) = (x.0 - y.0, x.1 - y.1);
        let odd = (start - end) & 1 != 0;
        let (mut ahead, mut back) = ((start, start), (end, end));
        let at = |diagonal: i32, zero: i32| (diagonal + zero) as usize;
        let zero = self.zero;
        self.forward[at(start, zero)] = x.0;
        self.backward[at(end, zero)] = x.1;
        for steps in 1.. {
            widen(&mut ahead, lowest, highest, &mut self.forward, zero, -1);
            for diagonal in (ahead.0..=ahead.1).rev().step_by(2) {
                let index = at(diagonal, zero);
                let (below, above) = (self.forward[index - 1], self.forward[index + 1]);
                let mut to = if below < above { above } else { below + 1 };
                while to < x.1 && to - diagonal < y.1 && self.equal(to, to - diagonal) {
                    to += 1;
                }
                self.forward[index] = to;
                if odd && (back.0..=back.1).contains(&diagonal) && self.backward[index] <= to {
                    return (to, to - diagonal, [true; 2]);
                }
            }
            widen(&mut back, lowest, highest, &mut self.backward, zero, i32::MAX);
            for diagonal in (back.0..=back.1).rev().step_by(2) {
                let index = at(diagonal, zero);
                let (below, above) = (self.backward[index - 1], self.backward[index + 1]);
                let mut to = if below < above { below } else { above - 1 };
                while to > x.0 && to - diagonal > y.0 && self.equal(to - 1, to - diagonal - 1) {
                    to -= 1;
                }
                self.backward[index] = to;
                if !odd && (ahead.0..=ahead.1).contains(&diagonal) && to <= self.forward[index] {
                    return (to, to - diagonal, [true; 2]);
                }
            }
            if !minimal && steps >= MOST_STEPS {
                return self.furthest(block, ahead, back);
            }
        }
        unreachable!("the searches from both ends meet")
    }

    /// The point that is furthest from its end of the block, on any diagonal.
    fn furthest(&self, Block { x, y, .. }: Block, ahead: (i32, i32), back: (i32, i32)) -> (i32, i32, [bool; 2]) {
        let (mut best, mut best_back) = ((i32::MIN, x.0), (i32::MAX, x.1));
        for diagonal in (ahead.0..=ahead.1).step_by(2) {
            let to = self.forward[(diagonal + self.zero) as usize].min(x.1).min(y.1 + diagonal);
            best = best.max((2 * to - diagonal, to));
        }
        for diagonal in (back.0..=back.1).step_by(2) {
            let to = self.backward[(diagonal + self.zero) as usize].max(x.0).max(y.0 + diagonal);
            best_back = best_back.min((2 * to - diagonal, to));
        }
        if best.0 - (x.0 + y.0) > (x.1 + y.1) - best_back.0 {
            (best.1, best.0 - best.1, [true, false])
        } else {
            (best_back.1, best_back.0 - best_back.1, [false, true])
        }
    }
}

/// One diagonal more on both sides, or one less where the block ends; `outside` is what is beyond the last.
fn widen(reach: &mut (i32, i32), lowest: i32, highest: i32, points: &mut [i32], zero: i32, outside: i32) {
    if reach.0 > lowest {
        reach.0 -= 1;
        points[(reach.0 - 1 + zero) as usize] = outside;
    } else {
        reach.0 += 1;
    }
    if reach.1 < highest {
        reach.1 += 1;
        points[(reach.1 + 1 + zero) as usize] = outside;
    } else {
        reach.1 -= 1;
    }
}
