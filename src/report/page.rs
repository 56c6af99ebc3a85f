//! The page: one HTML file with its styles, its script and the plotting library. Pages about queries
//! share the styles and the filters.
//!
//! Texts of a corpus are untrusted: a signature comes from a foreign database. The template
//! escapes every value, the script's data has no `<`, and the page's content security policy
//! allows no other script and no requests.

use std::io::Write as _;
use std::path::Path;

use minijinja::{AutoEscape, Environment, UndefinedBehavior, context};

use super::Report;
use crate::corpus::file::AtomicFile;
use crate::error::{Error, Result};
use crate::numbers;
use minijinja::value::{Serde, Value};

const TEMPLATE: &str = include_str!("../../data/report/page.html");
pub(crate) const STYLE: &str = include_str!("../../data/report/style.css");
const SCRIPT: &str = include_str!("../../data/report/plots.js");
/// Apache ECharts 6.1.0: `dist/echarts.min.js` of the npm package, unmodified.
const ECHARTS: &str = include_str!("../../data/report/echarts.min.js");
/// Its notice and licences, which the page includes.
const LICENCE: &str = include_str!("../../data/report/echarts.LICENSE");

/// Renders a report.
///
/// # Errors
/// The template fails: a bug.
pub fn html(report: &Report) -> Result<String> {
    render(report).map_err(|_| Error::Defect {
        path: Path::new("data/report/page.html").to_path_buf(),
    })
}

/// Templates with the filters that pages use; every value is escaped.
pub(crate) fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.add_filter("grouped", numbers::grouped);
    environment.add_filter("sized", numbers::sized);
    environment.add_filter("exact_size", exact_size);
    environment.add_filter("words", |text: String| text.replace('_', " "));
    environment.add_filter("moment", moment);
    environment.add_filter("percent", |part: u64, whole: u64| {
        format!("{:.1}%", 100.0 * part as f64 / whole.max(1) as f64)
    });
    environment
}

/// Writes a page; returns its size in bytes. The file appears complete or not at all.
///
/// # Errors
/// The page cannot be written there.
pub(crate) fn write(html: &str, path: &Path) -> Result<u64> {
    let refused = |error: Error| match error {
        Error::Io { action, source, .. } => Error::Output {
            path: path.to_path_buf(),
            problem: format!("the page cannot be written here: cannot {action}: {source}"),
            remedy: "give an --output in a writable directory".into(),
        },
        other => other,
    };
    let mut file = AtomicFile::create(path).map_err(refused)?;
    file.write_all(html.as_bytes())
        .map_err(|e| refused(Error::io(path, "write", e)))?;
    file.finish().map_err(refused)?;
    Ok(html.len() as u64)
}

fn render(report: &Report) -> std::result::Result<String, minijinja::Error> {
    let mut environment = environment();
    environment.add_template("page.html", TEMPLATE)?;
    let data = serde_json::to_string(report).unwrap_or_default();
    // A nonce that texts of the corpus cannot predict, because it is a hash of them.
    let nonce = blake3::hash(data.as_bytes()).to_hex();
    environment.get_template("page.html")?.render(context! {
        report => Value::from(Serde(report)),
        place => report.place.as_str(),
        nonce => nonce.as_str(),
        style => STYLE,
        script => SCRIPT,
        echarts => ECHARTS,
        licence => LICENCE,
    })
}

/// `12.3 MiB`; smaller sizes as `12 KiB` or in bytes.
fn exact_size(bytes: u64) -> String {
    match bytes {
        0..1_024 => format!("{bytes} B"),
        1_024..1_048_576 => format!("{} KiB", bytes >> 10),
        _ => numbers::sized(bytes),
    }
}

/// Formats Unix microseconds as `2024-08-12 09:50:14`.
fn moment(microseconds: i64) -> String {
    chrono::DateTime::from_timestamp_micros(microseconds).map_or_else(String::new, |time| {
        time.format("%Y-%m-%d %H:%M:%S").to_string()
    })
}
