//! One value that makes a corpus: as record batches, as files, as a few events.
//!
//! A [`Generator`] owns the plan, the world and the catalog, and hands out what is asked of it.
//! Nothing is generated before it is asked for, and what is asked twice is the same twice.

mod batches;
mod builder;
mod sample;

use std::path::Path;
use std::sync::{Arc, OnceLock};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;

pub use batches::{Batches, Select};
pub use builder::Builder;
pub use sample::{Sampling, System};

use crate::Result;
use crate::catalog::Catalog;
use crate::columns::Tables;
use crate::corpus::Corpus;
use crate::frame::Maker;
use crate::grounding::Profile;
use crate::plan::{Config, Grounding, Plan, TruthTable};
use crate::progress::{Progress, Silent};
use crate::run::{self, Run, Summary};
use crate::schema::Schema;
use crate::truth::Truth;
use crate::world::World;

/// Makes the events of one corpus, and what is known of them.
///
/// Cheap to share between threads; [`batches`](Generator::batches) may be called from all of them.
///
/// ```
/// use fusiongen::{Generator, Select};
///
/// let generator = Generator::builder().events(5_000).days(2).build()?;
/// let mut rows = 0;
/// for batch in generator.batches(Select::all())? {
///     rows += batch?.num_rows();
/// }
/// assert_eq!(rows, 5_000);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Generator {
    plan: Arc<Plan>,
    world: Arc<World>,
    catalog: Arc<Catalog>,
    schema: Arc<Schema>,
    profile: Profile,
    maker: OnceLock<Arc<Maker>>,
    tables: OnceLock<Arc<Tables>>,
}

impl std::fmt::Debug for Generator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Generator")
            .field("config", &self.plan.config)
            .field("fingerprint", &self.plan.fingerprint)
            .finish_non_exhaustive()
    }
}

impl Generator {
    /// Settings and inputs, each with its default.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Builds the world and the plan. The settings are valid.
    pub(crate) fn new(config: Config, grounding: Grounding, catalog: Catalog) -> Self {
        let world = Plan::world(&config, &grounding, &catalog);
        let plan = Plan::new(config, &grounding, &catalog, &world);
        Generator {
            schema: Arc::new(Schema::of(&plan.config)),
            plan: Arc::new(plan),
            world: Arc::new(world),
            catalog: Arc::new(catalog),
            profile: grounding.profile,
            maker: OnceLock::new(),
            tables: OnceLock::new(),
        }
    }

    /// What the corpus will hold: dates, categories, files, chains, counts.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Hosts, users, addresses and rules of the corpus.
    pub fn world(&self) -> &World {
        &self.world
    }

    /// The playbooks, noise and programs that events are made from.
    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// The Arrow schema of [`batches`](Generator::batches) without partition columns.
    pub fn schema(&self) -> &SchemaRef {
        self.schema.arrow()
    }

    /// Makes frames; shared by whoever asks.
    pub fn maker(&self) -> &Arc<Maker> {
        self.maker.get_or_init(|| {
            let (plan, world) = (self.plan.clone(), self.world.clone());
            Arc::new(Maker::new(plan, world, self.catalog.clone(), &self.profile))
        })
    }

    /// Dictionaries that all batches share.
    pub fn tables(&self) -> &Arc<Tables> {
        self.tables
            .get_or_init(|| Arc::new(Tables::new(self.maker())))
    }

    /// Events as record batches of up to 16,384 rows: in order of date and category, and within a
    /// partition in order of time. The reader owns what it needs and can move to another thread.
    ///
    /// # Errors
    /// The corpus has no such date, category or file.
    pub fn batches(&self, select: Select) -> Result<Batches> {
        Batches::new(self, &select)
    }

    /// Writes the corpus, or what is missing of it.
    ///
    /// # Errors
    /// The directory holds something else, I/O, or `progress` wanted an end.
    pub fn write(&self, to: &Corpus, run: Run, progress: &dyn Progress) -> Result<Summary> {
        run::generate(to, self.maker(), self.tables(), run, progress)
    }

    /// A few events as JSON documents, without making the others.
    ///
    /// # Errors
    /// An unknown category or playbook.
    pub fn sample(
        &self,
        what: &Sampling,
    ) -> Result<Vec<serde_json::Map<String, serde_json::Value>>> {
        sample::sample(self, what)
    }

    /// Hands the batches of a truth table to `each`, in the order of its files.
    ///
    /// # Errors
    /// What `each` returns.
    pub fn truth(
        &self,
        table: TruthTable,
        mut each: impl FnMut(RecordBatch) -> Result<()>,
    ) -> Result<()> {
        let truth = Truth::new(self.maker(), self.tables(), &Silent);
        let shards = self.plan.truth.iter().filter(|shard| shard.table == table);
        for shard in shards {
            truth.make(shard, Path::new(table.name()), &mut each)?;
        }
        Ok(())
    }
}
