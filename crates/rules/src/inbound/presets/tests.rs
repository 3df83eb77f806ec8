//! What holds for every preset.

use std::collections::BTreeSet;

use super::super::recipe::Proof;
use super::{ALL, named};

#[test]
fn names_are_unique_lower_case_and_found() {
    let names: BTreeSet<_> = ALL.iter().map(|it| it.name).collect();
    assert_eq!(names.len(), ALL.len());
    for preset in ALL {
        let plain = |it: u8| it.is_ascii_lowercase() || it == b'-';
        assert!(preset.name.bytes().all(plain), "{}", preset.name);
        assert_eq!(named(preset.name).map(|it| it.title), Some(preset.title));
    }
    assert!(named("GitHub").is_none());
}

#[test]
fn every_preset_says_where_the_url_goes_and_where_its_documentation_is() {
    for preset in ALL {
        assert!(preset.setup.iter().any(|it| it.contains("{url}")), "{}", preset.name);
        assert!(preset.docs.starts_with("https://") && !preset.title.is_empty());
    }
}

#[test]
fn freshness_is_only_taken_from_a_time_that_is_signed() {
    for preset in ALL {
        for proof in preset.recipe.proofs {
            if let Proof::Signature(signature) = proof
                && signature.stamp.is_some_and(|it| it.tolerance_s.is_some())
            {
                assert!(signature.signs_its_time(), "{}", preset.name);
            }
        }
    }
}

#[test]
fn who_signs_the_url_is_known() {
    let names: Vec<_> = ALL.iter().filter(|it| it.recipe.signs_url()).map(|it| it.name).collect();
    assert_eq!(names, ["hubspot", "square", "trello", "twilio"]);
}
