//! Manual pages: what clap does not know of a command.

mod common;

use common::{program, stderr};

fn page(arguments: &[&str]) -> String {
    let output = program().arg("man").args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    String::from_utf8(output.stdout).unwrap()
}

/// The commands on the program's page.
fn commands(program: &str) -> Vec<String> {
    let names = program.split("fusiongen\\-").skip(1);
    let names = names.map(|rest| rest.split('(').next().unwrap().to_string());
    names.filter(|name| name != "help").collect()
}

#[test]
fn every_page_has_examples_and_exit_codes() {
    let program = page(&[]);
    let names = commands(&program);
    for wanted in ["generate", "check", "queries", "man"] {
        assert!(names.iter().any(|name| name == wanted), "{names:?}");
    }
    let pages = names.iter().map(|name| (name.as_str(), page(&[name])));
    for (name, page) in pages.chain([("", program)]) {
        let (_, codes) = page.split_once(".SH \"EXIT STATUS\"").expect(name);
        let (codes, examples) = codes.split_once(".SH EXAMPLES").expect(name);
        assert!(
            codes.contains("Success.") && codes.contains("\\fB2\\fR"),
            "{name}: {codes}"
        );
        let judges = ["", "check", "queries"].contains(&name);
        assert_eq!(codes.contains("\\fB1\\fR"), judges, "{name}: {codes}");
        let own = format!("    fusiongen {name}");
        assert!(examples.contains(own.trim_end()), "{name}: {examples}");
    }
}
