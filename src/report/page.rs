//! The page: one HTML file with its styles, its script and the plotting library inside.
//!
//! Texts of a corpus are hostile until shown otherwise: a signature comes from a database
//! that someone filled. The template escapes every value, the script's data has no `<`,
//! and the page's own policy lets no other script run and nothing be fetched.

use std::path::Path;

use minijinja::{AutoEscape, Environment, UndefinedBehavior, context};

use super::Report;
use crate::error::{Error, Result};
use crate::numbers;
use minijinja::value::{Serde, Value};

const TEMPLATE: &str = include_str!("../../data/report/page.html");
const STYLE: &str = include_str!("../../data/report/style.css");
const SCRIPT: &str = include_str!("../../data/report/plots.js");
/// Apache ECharts 6.1.0, `dist/echarts.min.js` of its npm package, as it is.
const ECHARTS: &str = include_str!("../../data/report/echarts.min.js");
/// Its notice and licences, which the page carries too.
const LICENCE: &str = include_str!("../../data/report/echarts.LICENSE");

/// The page of a report.
///
/// # Errors
/// The template fails: a defect.
pub fn html(report: &Report) -> Result<String> {
    render(report).map_err(|_| Error::Defect {
        path: Path::new("data/report/page.html").to_path_buf(),
    })
}

fn render(report: &Report) -> std::result::Result<String, minijinja::Error> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.add_filter("grouped", numbers::grouped);
    environment.add_filter("sized", numbers::sized);
    environment.add_filter("words", |text: String| text.replace('_', " "));
    environment.add_filter("moment", moment);
    environment.add_filter("percent", |part: u64, whole: u64| {
        format!("{:.1}%", 100.0 * part as f64 / whole.max(1) as f64)
    });
    environment.add_template("page.html", TEMPLATE)?;
    let data = serde_json::to_string(report).unwrap_or_default();
    // A number that texts of the corpus can't know: it is of them.
    let nonce = blake3::hash(data.as_bytes()).to_hex();
    environment.get_template("page.html")?.render(context! {
        report => Value::from(Serde(report)),
        nonce => nonce.as_str(),
        style => STYLE,
        script => SCRIPT,
        echarts => ECHARTS,
        licence => LICENCE,
    })
}

/// `2024-08-12 09:50:14` of Unix microseconds.
fn moment(microseconds: i64) -> String {
    chrono::DateTime::from_timestamp_micros(microseconds).map_or_else(String::new, |time| {
        time.format("%Y-%m-%d %H:%M:%S").to_string()
    })
}
