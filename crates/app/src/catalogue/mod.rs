//! Catalogues of event types to start from: the vendors' own, built in, and what a document says.

mod alvys;
mod aly;
mod aryeo;
pub(crate) mod document;

use hookyard_domain::event_type::CatalogueEntry;
use hookyard_domain::time::Timestamp;

/// A group of a built-in catalogue: its name and the types in it.
type Group = (&'static str, &'static [&'static str]);

/// The entries of a built-in catalogue; `None` when there is none of that name.
pub(crate) fn builtin(name: &str, now: Timestamp) -> Option<Vec<CatalogueEntry>> {
    let groups = match name {
        "aly" => aly::GROUPS,
        "alvys" => alvys::GROUPS,
        "aryeo" => aryeo::GROUPS,
        _ => return None,
    };
    let sample = |event_type: &str| {
        (name == "aly" && event_type == aly::SAMPLE.0).then(|| aly::SAMPLE.1.to_owned())
    };
    let entries = groups.iter().flat_map(|(group, types)| {
        types.iter().filter_map(|event_type| {
            Some(CatalogueEntry {
                name: event_type.parse().ok()?,
                description: None,
                group: Some((*group).to_owned()),
                schema: None,
                sample: sample(event_type),
                deprecated: false,
                created_at: now,
                updated_at: now,
            })
        })
    });
    Some(entries.collect())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[track_caller]
    fn check(name: &str, count: usize) {
        let entries = builtin(name, Timestamp::default()).unwrap();
        let names: BTreeSet<_> = entries.iter().map(|it| it.name.clone()).collect();
        assert_eq!((entries.len(), names.len()), (count, count), "{name}");
    }

    #[test]
    fn the_built_in_catalogues_are_whole_and_name_nothing_twice() {
        check("aly", 24);
        check("alvys", 27);
        check("aryeo", 61);
        assert!(builtin("acme", Timestamp::default()).is_none());
    }

    #[test]
    fn the_sample_is_json() {
        let sample: serde_json::Value = serde_json::from_str(aly::SAMPLE.1).unwrap();
        assert_eq!(sample["order"]["totals"]["total"], 5076);
    }
}
