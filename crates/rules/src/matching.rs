//! Does this endpoint want this event.

use hookyard_domain::endpoint::EndpointSettings;
use hookyard_domain::event_type::EventType;
use hookyard_domain::id::SourceId;
use hookyard_domain::subscription::{Pattern, Scope};

/// Whether an endpoint gets an event of this type and scope that came in through this source. One that forwards a source
/// gets what that source received, and nothing else.
#[must_use]
pub fn gets(
    settings: &EndpointSettings,
    event_type: &EventType,
    event_scope: Option<&Scope>,
    source: Option<SourceId>,
) -> bool {
    let is_from = settings.source.is_none() || settings.source == source;
    is_from && wants(&settings.events, settings.scope.as_ref(), event_type, event_scope)
}

/// Whether an endpoint with these patterns and this scope gets an event of this type and scope. An endpoint without a
/// scope gets the events of every scope, one with a scope only those of its own.
#[must_use]
pub fn wants(
    patterns: &[Pattern],
    endpoint_scope: Option<&Scope>,
    event_type: &EventType,
    event_scope: Option<&Scope>,
) -> bool {
    let in_scope = endpoint_scope.is_none() || endpoint_scope == event_scope;
    in_scope && patterns.iter().any(|it| covers(it, event_type.as_str()))
}

fn covers(pattern: &Pattern, event_type: &str) -> bool {
    match pattern {
        Pattern::Any => true,
        Pattern::Below(prefix) => event_type.starts_with(prefix.as_str()),
        Pattern::Exact(exact) => exact.as_str() == event_type,
    }
}

#[cfg(test)]
mod tests {
    use hookyard_domain::profile::Profile;

    use super::*;

    #[track_caller]
    fn check(
        patterns: &[&str],
        scopes: (Option<&str>, Option<&str>),
        event_type: &str,
        want: bool,
    ) {
        let patterns: Vec<Pattern> = patterns.iter().map(|it| it.parse().unwrap()).collect();
        let scope = |text: Option<&str>| text.map(|it| it.parse::<Scope>().unwrap());
        let (endpoint, event) = (scope(scopes.0), scope(scopes.1));
        let got = wants(&patterns, endpoint.as_ref(), &event_type.parse().unwrap(), event.as_ref());
        assert_eq!(got, want, "{patterns:?} {scopes:?} {event_type}");
    }

    #[test]
    fn a_star_covers_every_type() {
        check(&["*"], (None, None), "order.created", true);
        check(&["*"], (None, None), "ORDER_PLACED", true);
    }

    #[test]
    fn an_exact_pattern_covers_only_itself() {
        check(&["order.created"], (None, None), "order.created", true);
        check(&["order.created"], (None, None), "order.created.late", false);
        check(&["order.created"], (None, None), "Order.created", false);
        check(&["order.created", "order.paid"], (None, None), "order.paid", true);
        check(&[], (None, None), "order.paid", false);
    }

    #[test]
    fn a_prefix_covers_what_is_below_it_at_any_depth_but_not_itself() {
        check(&["order.*"], (None, None), "order.created", true);
        check(&["order.*"], (None, None), "order.item.added", true);
        check(&["order.*"], (None, None), "order", false);
        check(&["order.*"], (None, None), "orders.created", false);
        check(&["order.item.*"], (None, None), "order.created", false);
    }

    #[test]
    fn an_endpoint_without_a_scope_gets_every_scope() {
        check(&["*"], (None, Some("acme")), "a", true);
        check(&["*"], (None, None), "a", true);
    }

    #[test]
    fn an_endpoint_with_a_scope_gets_only_its_own() {
        check(&["*"], (Some("acme"), Some("acme")), "a", true);
        check(&["*"], (Some("acme"), Some("other")), "a", false);
        check(&["*"], (Some("acme"), None), "a", false);
        check(&["b"], (Some("acme"), Some("acme")), "a", false);
    }

    #[test]
    fn what_forwards_a_source_gets_what_that_source_received_and_nothing_else() {
        let (mine, other) = (SourceId::from_u128(1), SourceId::from_u128(2));
        let settings = |source: Option<SourceId>| -> EndpointSettings {
            let mut settings = crate::profiles::tests::settings(Profile::Alumia);
            settings.events = vec![Pattern::Any];
            settings.source = source;
            settings
        };
        let gets = |of, from| gets(&settings(of), &"a.b".parse().unwrap(), None, from);
        for (of, from, want) in [
            (None, None, true),
            (None, Some(mine), true),
            (Some(mine), Some(mine), true),
            (Some(mine), Some(other), false),
            (Some(mine), None, false),
        ] {
            assert_eq!(gets(of, from), want, "{of:?} {from:?}");
        }
    }
}
