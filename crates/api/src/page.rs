//! Pages of lists.

use std::borrow::Cow;

use hookyard_domain::page as domain;
use serde::{Deserialize, Serialize};
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, SchemaType, Type};
use utoipa::openapi::{Ref, RefOr, Schema};
use utoipa::{IntoParams, PartialSchema, ToSchema};

/// One page of a list, newest first.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Page<T> {
    /// The rows of this page.
    pub data: Vec<T>,
    /// Give it as `cursor` to get the next page; `null` at the end of the list.
    pub next_cursor: Option<String>,
}

impl<T> Page<T> {
    /// The page of `domain` with each row turned into its wire form.
    pub fn of<U>(page: domain::Page<U>, change: impl FnMut(U) -> T) -> Self {
        let next_cursor = page.next.map(|it| it.to_string());
        Self { data: page.rows.into_iter().map(change).collect(), next_cursor }
    }
}

// By hand, since the derived schema would repeat that of `T` in full instead of pointing at it.
impl<T: ToSchema> PartialSchema for Page<T> {
    fn schema() -> RefOr<Schema> {
        let next_cursor = ObjectBuilder::new()
            .schema_type(SchemaType::from_iter([Type::String, Type::Null]))
            .description(Some("Give it as `cursor` to get the next page; `null` at the end."));
        ObjectBuilder::new()
            .description(Some("One page of a list, newest first."))
            .property("data", ArrayBuilder::new().items(Ref::from_schema_name(T::name())))
            .property("next_cursor", next_cursor)
            .required("data")
            .required("next_cursor")
            .into()
    }
}

impl<T: ToSchema> ToSchema for Page<T> {
    fn name() -> Cow<'static, str> {
        Cow::Owned(format!("{}Page", T::name()))
    }

    fn schemas(all: &mut Vec<(String, RefOr<Schema>)>) {
        all.push((T::name().into_owned(), T::schema()));
        T::schemas(all);
    }
}

/// How much of a list is wanted. Read as texts, so that a wrong one can be named.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// How many rows the page has at most.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 250, default = 50)]
    pub limit: Option<String>,
    /// The `next_cursor` of the page before.
    pub cursor: Option<String>,
}
