//! Any catalog is either accepted, and then usable to generate, or rejected with an error. Cases that
//! once failed are replayed from proptest-regressions/.

use proptest::prelude::*;
use proptest::sample::Index;

use crate::catalog::Catalog;
use crate::catalog::load::Sources;
use crate::catalog::template::Template;
use crate::grounding::Profile;
use crate::slips::{generate, slip, slipped};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_spoilt_catalog_is_understood_or_refused(
        file in any::<Index>(),
        slips in prop::collection::vec(slip(), 1..3),
    ) {
        let mut sources = Sources::embedded();
        let files = sources.files.len() + sources.playbooks.len();
        let file = file.index(files);
        let source = sources.files.iter_mut().chain(&mut sources.playbooks).nth(file).unwrap();
        for slip in &slips {
            source.text = slipped(&source.text, slip);
        }
        let path = source.path.clone();
        match Catalog::from_sources(&sources) {
            Ok(catalog) => generate(&catalog, Profile::embedded()),
            Err(error) => {
                prop_assert_eq!(error.exit_code(), 2, "{}", error);
                let text = error.to_string();
                prop_assert!(text.len() < 4_000 && text.lines().count() == 2, "{}", crate::error::shown_up_to(9_000, &text));
                // The error may be in another file, which refers to a name that is now missing.
                prop_assert!(text.starts_with("data/catalog/"), "{}: {text}", path.display());
            }
        }
    }

    #[test]
    fn any_text_is_a_template_or_none(text in "[ -~{}|:/\\PC]{0,60}") {
        match Template::parse(&text) {
            Ok(template) => {
                let _ = template.placeholders().count();
                let _ = template.as_literal();
            }
            Err(error) => prop_assert!(error.at <= text.len(), "{error:?}"),
        }
    }

    #[test]
    fn placeholders_in_any_order_are_a_template_or_none(
        pieces in prop::collection::vec(prop::sample::select(vec![
            "{", "}", "{{", "}}", "{user}", "{host:1}", "{host:300}", "{hex:8}", "{hex:-1}", "{hex:}",
            "{encoded}", "{/encoded}", "{a|b}", "{|}", "{a|{user}}", "|", ":", "é", "\u{0}", "{c2_ip}",
        ]), 0..8),
    ) {
        if let Err(error) = Template::parse(&pieces.concat()) {
            prop_assert!(error.at <= pieces.concat().len(), "{error:?}");
        }
    }
}
