//! Truth that queries join with events by place, one date at a time.

use std::collections::HashMap;

use super::count::Map;
use crate::error::Result;
use crate::generator::Generator;
use crate::plan::{ORDINAL_BITS, TruthTable};
use crate::queries::source::Rows;

/// A chain as the table `chains` has it.
pub(super) struct ChainRow {
    pub playbook: String,
    /// Unix microseconds.
    pub start: i64,
}

/// The chains of a corpus, by their number here.
#[derive(Default)]
pub(super) struct ChainRows {
    pub rows: Vec<ChainRow>,
    numbers: HashMap<String, u32>,
}

impl ChainRows {
    /// Reads the table `chains`.
    ///
    /// # Errors
    /// The truth cannot be made.
    pub fn read(generator: &Generator) -> Result<Self> {
        let mut chains = ChainRows::default();
        generator.truth(TruthTable::Chains, |batch| {
            let rows = Rows::new(&batch);
            let [id, playbook] = rows.texts(["attack_id", "playbook"]);
            let [start] = rows.integers(["start"]);
            for row in 0..rows.rows() {
                let number = chains.rows.len() as u32;
                chains
                    .numbers
                    .insert(id.text(row).unwrap_or_default().to_string(), number);
                chains.rows.push(ChainRow {
                    playbook: playbook.text(row).unwrap_or_default().to_string(),
                    start: start.get(row).unwrap_or_default(),
                });
            }
            Ok(())
        })?;
        Ok(chains)
    }
}

/// Bits of a word.
const WORD: usize = 64;
/// Words whose marks are counted together.
const BLOCK: usize = 8;

/// Marks on events of one partition, by the event's number in it.
#[derive(Default)]
struct Marks {
    words: Vec<u64>,
    /// Marks before each block of words.
    before: Vec<u32>,
}

impl Marks {
    fn set(&mut self, number: usize) {
        let word = number / WORD;
        if word >= self.words.len() {
            self.words.resize(word + 1, 0);
        }
        self.words[word] |= 1 << (number % WORD);
    }

    /// Drops spare memory, and counts the marks before each block.
    fn settle(&mut self) {
        self.words.shrink_to_fit();
        let mut sum = 0;
        let counted = self.words.chunks(BLOCK).map(|block| {
            let before = sum;
            sum += block.iter().map(|word| word.count_ones()).sum::<u32>();
            before
        });
        self.before = counted.collect();
    }

    fn has(&self, number: usize) -> bool {
        let word = self.words.get(number / WORD);
        word.is_some_and(|word| word >> (number % WORD) & 1 == 1)
    }

    /// How many marks are before this one; `None` if there is no mark.
    fn rank(&self, number: usize) -> Option<usize> {
        if !self.has(number) {
            return None;
        }
        let word = number / WORD;
        let block = word / BLOCK;
        let words = self.words[block * BLOCK..word].iter();
        let within = words.map(|word| word.count_ones()).sum::<u32>();
        let below = self.words[word] & ((1 << (number % WORD)) - 1);
        Some((self.before[block] + within + below.count_ones()) as usize)
    }
}

/// The partition of an event, and its number in it, from `event.sequence`.
fn place(sequence: i64) -> (i64, usize) {
    let number = sequence & ((1 << ORDINAL_BITS) - 1);
    (sequence >> ORDINAL_BITS, number as usize)
}

/// An event of a chain in 9 bytes: its number in the partition, greatest byte first, and the chain.
type Step = ([u8; 5], [u8; 4]);

/// Events of chains by partition, in any order.
#[derive(Default)]
struct Steps(Map<i64, Vec<Step>>);

impl Steps {
    fn add(&mut self, sequence: i64, chain: u32) {
        let (partition, number) = place(sequence);
        // Numbers have 40 bits.
        let [_, _, _, number @ ..] = (number as u64).to_be_bytes();
        let steps = self.0.entry(partition).or_default();
        steps.push((number, chain.to_le_bytes()));
    }
}

/// The chains of events of one date: a bit for each event, and four bytes for each event of a chain.
#[derive(Default)]
pub(super) struct StepChains(Map<i64, (Marks, Vec<u32>)>);

impl StepChains {
    fn new(steps: Steps) -> Self {
        let of_partition = |(partition, mut steps): (i64, Vec<Step>)| {
            steps.sort_unstable();
            let mut marks = Marks::default();
            for ([a, b, c, d, e], _) in &steps {
                marks.set(u64::from_be_bytes([0, 0, 0, *a, *b, *c, *d, *e]) as usize);
            }
            marks.settle();
            let chains = steps.iter().map(|(_, chain)| u32::from_le_bytes(*chain));
            (partition, (marks, chains.collect()))
        };
        StepChains(steps.0.into_iter().map(of_partition).collect())
    }

    /// The chain of an event, if it belongs to one.
    pub fn chain(&self, sequence: i64) -> Option<u32> {
        let (partition, number) = place(sequence);
        let (marks, chains) = self.0.get(&partition)?;
        chains.get(marks.rank(number)?).copied()
    }
}

/// Events of one date that resemble an attack.
#[derive(Default)]
pub(super) struct Lookalikes(Map<i64, Marks>);

impl Lookalikes {
    fn add(&mut self, sequence: i64) {
        let (partition, number) = place(sequence);
        self.0.entry(partition).or_default().set(number);
    }

    pub fn has(&self, sequence: i64) -> bool {
        let (partition, number) = place(sequence);
        self.0
            .get(&partition)
            .is_some_and(|marks| marks.has(number))
    }
}

/// The rows of `steps` and `lookalikes` whose events are of one date, by `event.sequence`, which is
/// unique in the corpus, so date and category need not be compared.
#[derive(Default)]
pub(super) struct Joined {
    /// The numbers of the chains.
    pub steps: StepChains,
    pub lookalikes: Lookalikes,
}

impl Joined {
    /// The truth of the date with this index in the corpus's window.
    ///
    /// # Errors
    /// The truth cannot be made.
    pub fn of(generator: &Generator, chains: &ChainRows, date: u32) -> Result<Self> {
        let mut joined = Joined::default();
        let of_date = |table: TruthTable| {
            let shards = generator.plan().truth.iter();
            // The part of a file of steps is the number of days from the chain's start to the event.
            shards.filter(move |s| match table {
                TruthTable::Steps => s.table == table && s.date + s.part == date,
                _ => s.table == table && s.date == date,
            })
        };
        let mut steps = Steps::default();
        generator.truth_of(of_date(TruthTable::Steps), |batch| {
            let rows = Rows::new(&batch);
            let [sequence] = rows.integers(["event_sequence"]);
            let [id] = rows.texts(["attack_id"]);
            for row in 0..rows.rows() {
                let chain = id.text(row).and_then(|id| chains.numbers.get(id));
                if let (Some(sequence), Some(&chain)) = (sequence.get(row), chain) {
                    steps.add(sequence, chain);
                }
            }
            Ok(())
        })?;
        joined.steps = StepChains::new(steps);
        generator.truth_of(of_date(TruthTable::Lookalikes), |batch| {
            let rows = Rows::new(&batch);
            let [sequence] = rows.integers(["event_sequence"]);
            for sequence in (0..rows.rows()).filter_map(|row| sequence.get(row)) {
                joined.lookalikes.add(sequence);
            }
            Ok(())
        })?;
        Ok(joined)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn marks_give_the_chain_of_each_event() {
        let partition = |number: i64| number << ORDINAL_BITS;
        // Not in order; neighbours, borders of words and blocks, and a partition of one event.
        let numbers = [511, 0, 1, 63, 64, 512, 513, 1023, 70_000, 5000, 65];
        let of_two = [3, 9]
            .into_iter()
            .flat_map(|p| numbers.map(|n| partition(p) + n));
        let all = of_two.chain([partition(4) + 77]).zip(10..);
        let expected: BTreeMap<i64, u32> = all.collect();
        let mut steps = Steps::default();
        // Later dates of a chain come after the first of another.
        for (&sequence, &chain) in expected.iter().rev() {
            steps.add(sequence, chain);
        }
        let found = StepChains::new(steps);
        for p in 2..11 {
            for number in (0..2000).chain(69_990..70_100) {
                let sequence = partition(p) + number;
                let chain = expected.get(&sequence).copied();
                assert_eq!(found.chain(sequence), chain, "{p} {number}");
            }
        }
        assert_eq!(StepChains::default().chain(5), None);
    }

    #[test]
    fn lookalikes_are_known_by_their_places() {
        let mut lookalikes = Lookalikes::default();
        let of = |partition: i64, number: i64| (partition << ORDINAL_BITS) + number;
        lookalikes.add(of(1, 64));
        lookalikes.add(of(2, 0));
        let known = |partition, number| lookalikes.has(of(partition, number));
        assert!(known(1, 64) && known(2, 0));
        assert!(!known(1, 0) && !known(1, 65) && !known(1, 1000) && !known(3, 0));
    }
}
