//! Catalogues of event types to start from: the vendors' own, built in, and what a document says.

mod alvys;
mod aly;
mod aryeo;
pub(crate) mod document;

use std::collections::BTreeSet;

use hookyard_domain::event_type::{CatalogueEntry, EventType};
use hookyard_domain::profile::Profile;
use hookyard_domain::subscription::Pattern;
use hookyard_domain::time::Timestamp;

/// A group of a built-in catalogue: its name and the types in it.
type Group = (&'static str, &'static [&'static str]);

fn groups(name: &str) -> Option<&'static [Group]> {
    match name {
        "aly" => Some(aly::GROUPS),
        "alvys" => Some(alvys::GROUPS),
        "aryeo" => Some(aryeo::GROUPS),
        _ => None,
    }
}

/// Whether a vendor has a catalogue.
pub(crate) fn has(vendor: Profile) -> bool {
    groups(vendor.as_str()).is_some()
}

/// Whether a vendor offers what a pattern asks for: everything, a type of its catalogue or of the tenant's own, or those
/// below a prefix that some of these have. One without a catalogue offers whatever it is asked for.
pub(crate) fn offers(vendor: Profile, own: &BTreeSet<EventType>, pattern: &Pattern) -> bool {
    let Some(groups) = groups(vendor.as_str()) else { return true };
    let builtin = groups.iter().flat_map(|(_, types)| types.iter().copied());
    let mut all = builtin.chain(own.iter().map(EventType::as_str));
    match pattern {
        Pattern::Any => true,
        Pattern::Below(prefix) => all.any(|it| it.starts_with(prefix.as_str())),
        Pattern::Exact(exact) => all.any(|it| it == exact.as_str()),
    }
}

/// The entries of a built-in catalogue; `None` when there is none of that name.
pub(crate) fn builtin(name: &str, now: Timestamp) -> Option<Vec<CatalogueEntry>> {
    let groups = groups(name)?;
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
    fn a_vendor_offers_its_own_types_the_tenants_and_everything() {
        let own = BTreeSet::from(["parcel.lost".parse().unwrap()]);
        let offered = |vendor, pattern: &str| offers(vendor, &own, &pattern.parse().unwrap());
        for pattern in
            ["order.created", "*", "order.*", "membership.subscriber.*", "parcel.lost", "parcel.*"]
        {
            assert!(offered(Profile::Aly, pattern), "{pattern}");
        }
        for pattern in ["order.shipped", "order", "ordr.*", "parcel.found", "order.created.*"] {
            assert!(!offered(Profile::Aly, pattern), "{pattern}");
        }
        assert!(offered(Profile::Alumia, "order.*") && offered(Profile::Alumia, "any.thing"));
    }

    #[test]
    fn the_sample_is_json() {
        let sample: serde_json::Value = serde_json::from_str(aly::SAMPLE.1).unwrap();
        assert_eq!(sample["order"]["totals"]["total"], 5076);
    }
}
