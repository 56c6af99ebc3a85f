//! `fusiongen generate`: writes a corpus.

use std::path::PathBuf;
use std::time::Instant;

use clap::Args;

use super::progress::Bar;
use super::settings::Settings;
use crate::error::{Error, Result};
use crate::frame::Maker;
use crate::plan::Plan;
use crate::sink::{self, Corpus};

/// Arguments of `generate`.
#[derive(Debug, Args)]
pub struct Generate {
    #[command(flatten)]
    settings: Settings,

    /// Directory of the corpus
    #[arg(
        long,
        default_value = "out/corpus",
        value_name = "DIR",
        help_heading = "Files"
    )]
    out: PathBuf,
    /// Replace another corpus in --out (never foreign files)
    #[arg(long, help_heading = "Files")]
    overwrite: bool,
    /// Threads [default: all processors]; doesn't change a byte
    #[arg(long, value_name = "N", help_heading = "Run")]
    threads: Option<usize>,
    /// No progress bar
    #[arg(long, help_heading = "Run")]
    no_progress: bool,
}

/// `12,345,678`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn sized(bytes: u64) -> String {
    let mib = bytes as f64 / 1_048_576.0;
    if mib >= 1024.0 {
        format!("{:.2} GiB", mib / 1024.0)
    } else {
        format!("{mib:.1} MiB")
    }
}

impl Generate {
    pub fn run(&self) -> Result<()> {
        let threads = match self.threads {
            Some(0) => {
                return Err(Error::setting(
                    "--threads",
                    "0 threads do nothing",
                    "give 1 or more",
                ));
            }
            Some(n) => n,
            None => std::thread::available_parallelism().map_or(1, usize::from),
        };
        let started = Instant::now();
        let config = self.settings.config()?;
        let grounding = self.settings.grounding()?;
        let catalog = self.settings.catalog()?;
        let (plan, world) = Plan::new(config, &grounding, &catalog);
        for notice in &plan.notices {
            eprintln!("note: {notice}");
        }
        let maker = Maker::new(&plan, &world, &catalog, &grounding.profile);
        let bar = Bar::new(plan.config.events, self.no_progress);
        let corpus = Corpus::at(&self.out);
        let outcome = sink::generate(
            &corpus,
            &plan,
            &world,
            &maker,
            threads,
            self.overwrite,
            &bar,
        );
        bar.finish();
        let summary = outcome?;
        let out = self.out.display();
        if summary.kept {
            println!("{out} already holds this corpus, whole; nothing to do");
            return Ok(());
        }
        let seconds = started.elapsed().as_secs_f64();
        let c = &plan.composition;
        let share = |events: u64| 100.0 * events as f64 / c.events as f64;
        println!(
            "{} events in {} files, {} ({:.0} bytes an event)",
            grouped(c.events),
            grouped(summary.files),
            sized(summary.bytes),
            summary.bytes as f64 / c.events as f64
        );
        println!(
            "{seconds:.1} s on {threads} threads, {} events/s",
            grouped((c.events as f64 / seconds) as u64)
        );
        println!(
            "  alerts {:>16}  {:5.1}%",
            grouped(c.alerts),
            share(c.alerts)
        );
        println!(
            "  noise  {:>16}  {:5.1}%  ({} process starts)",
            grouped(c.noise),
            share(c.noise),
            grouped(c.life)
        );
        println!(
            "  chains {:>16}  {:5.1}%  ({} chains, {} hosts, {} days)",
            grouped(c.chain_events),
            share(c.chain_events),
            grouped(c.chains),
            grouped(world.hosts.len() as u64),
            plan.config.days
        );
        println!(
            "in {out}, seed {}, fingerprint {}",
            plan.config.seed, plan.fingerprint
        );
        println!(
            "next: duckdb -c \"SELECT category, count(*) FROM read_parquet('{out}/events/**/*.parquet', hive_partitioning = true) GROUP BY ALL ORDER BY 2 DESC\""
        );
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn numbers_are_grouped() {
        assert_eq!(super::grouped(0), "0");
        assert_eq!(super::grouped(999), "999");
        assert_eq!(super::grouped(1_000), "1,000");
        assert_eq!(super::grouped(12_345_678), "12,345,678");
    }
}
