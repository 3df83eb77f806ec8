//! Enums of `domain` as they are written on the wire: same members, snake case, with a schema.

/// Declares an enum with the members of one in `domain`, and the ways between them.
macro_rules! mirror {
    ($(#[$doc:meta])* $name:ident = $domain:path { $($(#[$member_doc:meta])* $member:ident,)+ }) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema,
        )]
        #[serde(rename_all = "snake_case")]
        pub enum $name {
            $($(#[$member_doc])* $member,)+
        }

        impl From<$domain> for $name {
            fn from(it: $domain) -> Self {
                use $domain as Domain;
                match it {
                    $(Domain::$member => Self::$member,)+
                }
            }
        }

        impl From<$name> for $domain {
            fn from(it: $name) -> Self {
                match it {
                    $($name::$member => Self::$member,)+
                }
            }
        }
    };
}
