//! Makes frames: holds what the fillers borrow, and gives each population to its filler.

use std::convert::Infallible;
use std::sync::Arc;

use super::alerts::{AlertTables, Alerts};
use super::chain::{Actor, ChainRows};
use super::cloud::CloudRecords;
use super::days::DayRows;
use super::life::{Life, LifeTables};
use super::lineage::Lineage;
use super::logins::Logins;
use super::merge::{Order, Row, Source};
use super::noise::Noise;
use super::owners::Owners;
use super::processes::Processes;
use super::recipe::Recipes;
use super::record::Records;
use super::sessions::Sessions;
use super::vocabulary::Vocabulary;
use super::{Frame, KnownTexts};
use crate::catalog::Catalog;
use crate::catalog::scenario::Verdict;
use crate::grounding::Profile;
use crate::plan::chains::ChainEvent;
use crate::plan::truth::has_verdict;
use crate::plan::{Origin, Plan, Population, RowGroup};
use crate::random::Key;
use crate::world::World;

/// Makes the frames of row groups. Shared by all threads; holds no state of a row.
#[derive(Debug)]
pub struct Maker {
    pub plan: Arc<Plan>,
    pub world: Arc<World>,
    pub catalog: Arc<Catalog>,
    pub vocabulary: Vocabulary,
    key: Key,
    owners: Owners,
    recipes: Recipes,
    alerts: AlertTables,
    life: LifeTables,
}

/// The fillers of all population kinds; they borrow from a [`Maker`].
struct Fillers<'m> {
    alerts: Alerts<'m>,
    chains: ChainRows<'m>,
    days: DayRows<'m>,
    life: Life<'m>,
    noise: Noise<'m>,
}

impl Maker {
    /// Builds the tables that rows need.
    pub fn new(
        plan: Arc<Plan>,
        world: Arc<World>,
        catalog: Arc<Catalog>,
        profile: &Profile,
    ) -> Self {
        let vocabulary = Vocabulary::new(&catalog, profile);
        Maker {
            key: plan.config.key("rows"),
            owners: Owners::new(&catalog),
            recipes: Recipes::new(&catalog, &vocabulary),
            alerts: AlertTables::new(&world, &catalog, profile, &vocabulary),
            life: LifeTables::new(&catalog, &world),
            vocabulary,
            plan,
            world,
            catalog,
        }
    }

    fn fillers(&self) -> Fillers<'_> {
        let (world, catalog) = (&*self.world, &*self.catalog);
        let chains = &self.plan.chains;
        let (recipes, vocabulary) = (&self.recipes, &self.vocabulary);
        let lineage = Lineage {
            world,
            catalog,
            plan: &self.plan,
            owners: &self.owners,
            sessions: Sessions { world },
        };
        let processes = Processes { world, catalog };
        let records = Records {
            world,
            catalog,
            lineage,
            logins: Logins { lineage },
            processes,
            cloud: CloudRecords { world, catalog },
        };
        Fillers {
            alerts: Alerts::new(records, recipes, vocabulary, &self.alerts),
            chains: ChainRows {
                records,
                recipes,
                chains,
            },
            days: DayRows {
                records,
                recipes,
                world,
            },
            life: Life {
                tables: &self.life,
                world,
                catalog,
                lineage,
                processes,
            },
            noise: Noise {
                records,
                recipes,
                world,
            },
        }
    }

    fn known_texts(&self) -> KnownTexts {
        KnownTexts {
            images: self.catalog.images.len(),
            residents: self.catalog.residents.len(),
            systems: self.world.hosts.systems.len(),
        }
    }

    /// Who acts in an event of a chain; the event's row has the same.
    pub fn actor(&self, event: &ChainEvent) -> Actor {
        self.fillers().chains.actor(event)
    }

    /// Events of chains as a frame that belongs to no partition: its categories and sequences have
    /// no meaning.
    pub fn chain_frame(&self, events: &[ChainEvent]) -> Frame {
        let mut frame = Frame::new(vec![0; events.len()], self.known_texts());
        let rows: Vec<Row> = (events.iter().enumerate())
            .map(|(i, event)| Row {
                time: event.time,
                population: 0,
                ordinal: i as u64,
            })
            .collect();
        for (slot, row) in frame.time.iter_mut().zip(&rows) {
            *slot = row.time;
        }
        let chains = self.fillers().chains;
        chains.fill(&mut frame, events, rows.iter().enumerate());
        frame
    }

    /// The frames of a row group, in order of time.
    pub fn frames(&self, group: &RowGroup, mut each: impl FnMut(Frame)) {
        let Ok(()) = self.try_frames(group, |frame| {
            each(frame);
            Ok::<(), Infallible>(())
        });
    }

    /// As [`frames`](Self::frames), but stops at the first error of `each`.
    ///
    /// # Errors
    /// What `each` returns.
    pub fn try_frames<E>(
        &self,
        group: &RowGroup,
        each: impl FnMut(Frame) -> Result<(), E>,
    ) -> Result<(), E> {
        let order = Order::new(&self.plan, group);
        let mut frames = (0..order.frames()).map(|number| self.frame(&order, number));
        frames.try_for_each(each)
    }

    /// One frame of an ordered row group.
    pub fn frame(&self, order: &Order, number: usize) -> Frame {
        let rows = &order.rows[order.range(number)];
        let mut frame = Frame::new(order.sequences(number), self.known_texts());
        for (slot, row) in frame.time.iter_mut().zip(rows) {
            *slot = row.time;
        }
        let fillers = self.fillers();
        for (source, mine) in order.sources.iter().zip(&order.by_source(rows)) {
            if !mine.is_empty() {
                let mine = mine.iter().map(|&at| (at, &rows[at]));
                self.fill(&mut frame, &fillers, source, mine);
            }
        }
        frame
    }

    /// The verdict of each row of an order, as the row has it; `None` for benign ones. Makes no row.
    pub fn verdicts(&self, order: &Order) -> Vec<Option<Verdict>> {
        let mut verdicts = vec![None; order.rows.len()];
        let fillers = self.fillers();
        for (source, mine) in order.sources.iter().zip(&order.by_source(&order.rows)) {
            let partition = &self.plan.partitions[source.partition];
            let (date, category) = (partition.date, partition.category);
            let population = &partition.populations[source.population];
            if !has_verdict(population.origin, &self.catalog) {
                continue;
            }
            let mine = mine.iter().map(|&at| (at, &order.rows[at]));
            let key = population.rows_key(self.key, date, category);
            let each = |at: usize, verdict| {
                verdicts[at] = (verdict != Verdict::Benign).then_some(verdict);
            };
            match (population.origin, source.law.as_ref()) {
                (Origin::Alerts, _) => {
                    let starts = population.starts_key(date, category);
                    fillers.alerts.verdicts(key, starts, category, mine, each);
                }
                (Origin::Noise { scenario, variant }, Some(law)) => {
                    let of = (scenario.into(), variant.into());
                    fillers.noise.verdicts(key, of, law, mine, each);
                }
                (Origin::Chains, _) => {
                    for (at, row) in mine {
                        let event = &source.chain_events[row.ordinal as usize];
                        verdicts[at] = Some(fillers.chains.verdict(event));
                    }
                }
                _ => {}
            }
        }
        verdicts
    }

    /// Fills the rows `mine` of one population.
    fn fill<'r>(
        &self,
        frame: &mut Frame,
        fillers: &Fillers<'_>,
        source: &Source,
        mine: impl Iterator<Item = (usize, &'r Row)> + Clone,
    ) {
        let partition = &self.plan.partitions[source.partition];
        let (date, category) = (partition.date, partition.category);
        for (row, _) in mine.clone() {
            frame.category[row] = category;
        }
        let population = &partition.populations[source.population];
        let key = population.rows_key(self.key, date, category);
        match (population.origin, source.law.as_ref()) {
            (Origin::Alerts, _) => {
                let starts = population.starts_key(date, category);
                fillers.alerts.fill(frame, key, starts, category, mine);
            }
            (
                Origin::Exits {
                    category, alerts, ..
                },
                Some(law),
            ) => {
                let alerts = Population {
                    origin: Origin::Alerts,
                    rows: alerts,
                };
                let key = alerts.rows_key(self.key, date, category);
                fillers.alerts.fill_exits(frame, key, category, law, mine);
            }
            (Origin::Noise { scenario, variant }, Some(law)) => {
                let of = (scenario.into(), variant.into());
                fillers.noise.fill(frame, key, of, law, mine);
            }
            (Origin::Life { class }, Some(law)) => {
                fillers.life.fill(frame, key, class, law, mine);
            }
            (Origin::Days, _) => fillers.days.fill(frame, &source.scripts, mine),
            (Origin::Chains, _) => {
                fillers.chains.fill(frame, &source.chain_events, mine);
            }
            // Only chains and scripts have no law.
            (_, None) => {}
        }
    }
}
