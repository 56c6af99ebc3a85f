//! `fusiongen queries`: the query suite.

mod answers;
mod compare;
mod engine;
mod export;
mod facts;
mod run;

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::output::print;
use crate::corpus::to_json;
use crate::error::Result;
use crate::queries::{Engine, Files, Parameters, Views, select};
use engine::{engines, finished};
use facts::Facts;

/// Arguments of `queries`.
#[derive(Debug, Args)]
pub struct Queries {
    #[command(subcommand)]
    command: QueriesCommand,
}

#[derive(Debug, Subcommand)]
enum QueriesCommand {
    /// Print every query: its name, its question, and where its answer comes from
    List(List),
    /// Print a query as SQL to paste into an engine, with the views that it reads
    Show(Show),
    /// Print the values of the parameters as JSON
    Params(Facts),
    /// Print the known answers as JSON, derived from the settings or from --corpus; no event file is
    /// read
    Answers(answers::AnswersCommand),
    /// Run the queries on an engine, check the answers and record the times
    Run(run::Run),
    /// Compare two recorded runs; exit code 1 if a query is wrong or slower
    Compare(compare::Compare),
    /// Write an HTML page about recorded runs, side by side
    Report(export::Report),
    /// Write a recorded run in the format of another benchmark
    Export(export::Export),
}

#[derive(Debug, Args)]
struct List {
    /// Print the list as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct Show {
    /// Name or number of the query: q18
    #[arg(value_name = "QUERY")]
    query: String,
    /// Directory of the corpus
    #[arg(long, value_name = "DIR")]
    corpus: PathBuf,
    /// Engine that will run it
    #[arg(long, value_name = "ENGINE", default_value = "duckdb", value_parser = engines())]
    engine: String,
}

impl Queries {
    /// Runs the subcommand.
    ///
    /// # Errors
    /// As the subcommand.
    pub fn run(&self) -> Result<()> {
        match &self.command {
            QueriesCommand::List(command) => command.run(),
            QueriesCommand::Show(command) => command.run(),
            QueriesCommand::Params(facts) => facts.with(|source| {
                let parameters = Parameters::choose(source)?;
                print(&String::from_utf8_lossy(&to_json(&parameters)))
            }),
            QueriesCommand::Answers(command) => command.run(),
            QueriesCommand::Run(command) => command.run(),
            QueriesCommand::Compare(command) => command.run(),
            QueriesCommand::Report(command) => command.run(),
            QueriesCommand::Export(command) => command.run(),
        }
    }
}

impl List {
    fn run(&self) -> Result<()> {
        let all = select(&[])?;
        if self.json {
            let list: Vec<serde_json::Value> = (all.iter())
                .map(|query| {
                    serde_json::json!({
                        "name": query.name,
                        "question": query.question,
                        "choke_point": query.choke_point,
                        "parameters": query.parameters,
                        "answer": query.provenance.word(),
                        "source": query.source,
                    })
                })
                .collect();
            return print(&String::from_utf8_lossy(&to_json(&list)));
        }
        let lines = all.iter().map(|query| {
            let answer = query.provenance.word();
            format!("{:<24} {answer:<12} {}\n", query.name, query.question)
        });
        print(&lines.collect::<String>())
    }
}

impl Show {
    fn run(&self) -> Result<()> {
        let engine = Engine::named("--engine", &self.engine)?;
        let query = select(std::slice::from_ref(&self.query))?.remove(0);
        let (plan, _) = finished(&self.corpus)?;
        let parameters = Parameters::choose(&Files::new(&self.corpus, plan.clone()))?;
        let sql = query.fill(&parameters, engine)?;
        let views = Views::new(&self.corpus, plan)?;
        let mut text = String::new();
        for statement in views.statements(engine, Some(query.sql)) {
            text += &format!("{statement};\n\n");
        }
        print(&format!("{text}-- {}\n{sql};\n", query.question))
    }
}
