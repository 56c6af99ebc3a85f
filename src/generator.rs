//! The entry point of the library: makes a corpus as record batches, as files, or as a few events.
//!
//! A [`Generator`] owns the plan, the world and the catalog. It generates rows only on request, and
//! equal requests give equal rows.

mod batches;
mod builder;
mod parallel;
mod sample;
mod spans;
mod stream;
mod truth_batches;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;

pub use batches::{Batches, ParallelBatches, Select};
pub use builder::Builder;
pub use sample::{Page, Sampling, System};
pub use stream::{Chunk, Stream};
pub use truth_batches::TruthBatches;

use crate::catalog::Catalog;
use crate::columns::Tables;
use crate::corpus::{Corpus, PlanFile};
use crate::error::Result;
use crate::frame::Maker;
use crate::grounding::Profile;
use crate::plan::{Config, Grounding, Plan, TruthShard, TruthTable};
use crate::progress::{Progress, Silent};
use crate::run::{self, Run, Summary};
use crate::schema::Schema;
use crate::truth::Truth;
use crate::truth::entities::assets;
use crate::world::World;

/// Makes the events and the truth of one corpus.
///
/// Cheap to share between threads; any of them may call [`batches`](Generator::batches).
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
    plan_file: OnceLock<PlanFile>,
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
    /// Starts with default settings and inputs.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Builds the world and the plan. The settings must be valid.
    ///
    /// # Errors
    /// The settings choose what the catalog does not have, or nothing that can occur.
    pub(crate) fn new(config: Config, grounding: Grounding, catalog: Catalog) -> Result<Self> {
        let catalog = Arc::new(catalog);
        let world = Arc::new(Plan::world(&config, &grounding, &catalog));
        let plan = Plan::new(config, &grounding, &catalog, &world)?;
        Ok(Generator {
            schema: Arc::new(Schema::of(&plan.config)),
            plan: Arc::new(plan),
            world,
            catalog,
            profile: grounding.profile,
            plan_file: OnceLock::new(),
            maker: OnceLock::new(),
            tables: OnceLock::new(),
        })
    }

    /// The plan of the corpus: dates, categories, files, chains, counts.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The contents of the corpus's `plan.json`.
    pub fn plan_file(&self) -> &PlanFile {
        self.plan_file
            .get_or_init(|| PlanFile::new(&self.plan, &self.world))
    }

    /// Hosts, users, addresses and rules of the corpus.
    pub fn world(&self) -> &World {
        &self.world
    }

    /// The playbooks, noise and programs that events are made from.
    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// The Arrow schema of [`batches`](Generator::batches), without partition columns.
    pub fn schema(&self) -> &SchemaRef {
        self.schema.arrow()
    }

    /// Makes frames. All readers share it.
    pub fn maker(&self) -> &Arc<Maker> {
        self.maker.get_or_init(|| {
            let (plan, world) = (self.plan.clone(), self.world.clone());
            Arc::new(Maker::new(plan, world, self.catalog.clone(), &self.profile))
        })
    }

    /// Dictionaries shared by all batches.
    pub fn tables(&self) -> &Arc<Tables> {
        self.tables
            .get_or_init(|| Arc::new(Tables::new(self.maker())))
    }

    /// Events as record batches of up to 16,384 rows, in the order of the files: by date and category,
    /// and by time within both; by time if the corpus is partitioned by date only. The reader owns
    /// its data and can move to another thread.
    ///
    /// # Errors
    /// The corpus has no such date, category or file.
    pub fn batches(&self, select: Select) -> Result<Batches> {
        Batches::new(self, &select)
    }

    /// Events as bytes for a pipe, in the format and compression of the settings, made by `threads`
    /// threads. Only record batches can have partition columns, so the bytes have none.
    ///
    /// # Errors
    /// As [`batches`](Generator::batches), or the format can only be written to files.
    pub fn stream(&self, select: &Select, threads: usize) -> Result<Stream> {
        Stream::new(self, select, threads)
    }

    /// Writes the corpus, or the missing files of a partly written one.
    ///
    /// # Errors
    /// The directory contains something else, another version began this corpus, I/O, or `progress`
    /// stopped the run.
    pub fn write(&self, to: &Corpus, run: Run, progress: &dyn Progress) -> Result<Summary> {
        run::generate(to, self.maker(), self.tables(), run, progress)
    }

    /// Writes the files with these indices in the plan, except those that exist unchanged. Any number of
    /// processes may call it for one corpus at once. Then [`run::finish`] completes the corpus.
    ///
    /// # Errors
    /// As [`write`](Generator::write), or the plan has no such file.
    pub fn write_files(
        &self,
        to: &Corpus,
        files: &BTreeSet<usize>,
        threads: usize,
        progress: &dyn Progress,
    ) -> Result<Summary> {
        let (maker, tables) = (self.maker(), self.tables());
        run::write_files(
            to,
            self.plan_file(),
            maker,
            tables,
            files,
            threads,
            progress,
        )
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

    /// The batches of a truth table as a stream, in the order of its files.
    ///
    /// # Errors
    /// The first batch cannot be made.
    pub fn truth_batches(&self, table: TruthTable) -> Result<TruthBatches> {
        TruthBatches::new(self, table)
    }

    /// Calls `each` with the batches of a truth table, in the order of its files.
    ///
    /// # Errors
    /// The error of `each`.
    pub fn truth(
        &self,
        table: TruthTable,
        each: impl FnMut(RecordBatch) -> Result<()>,
    ) -> Result<()> {
        let shards = self.plan.truth.iter().filter(|shard| shard.table == table);
        self.truth_of(shards, each)
    }

    /// Calls `each` with the batches of these files of the [plan](Plan::truth).
    ///
    /// # Errors
    /// The error of `each`.
    pub fn truth_of<'s>(
        &self,
        shards: impl IntoIterator<Item = &'s TruthShard>,
        mut each: impl FnMut(RecordBatch) -> Result<()>,
    ) -> Result<()> {
        let truth = Truth::new(self.maker(), self.tables(), &Silent);
        for shard in shards {
            truth.make(shard, Path::new(shard.table.name()), &mut each)?;
        }
        Ok(())
    }

    /// The corpus's table `entities/assets.parquet`.
    ///
    /// # Errors
    /// The table cannot be made, which is a defect.
    pub fn assets(&self) -> Result<RecordBatch> {
        assets(&self.world)
    }
}
