//! What stands around the answers: `{"success": true, "data": …}`, and the lists in `data` (vendors.md §3.6).

use std::borrow::Cow;

use hookyard_domain::page::Page;
use serde::Serialize;
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, SchemaType, Type};
use utoipa::openapi::{Ref, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// What every answer of success has around it.
#[derive(Clone, Debug, Serialize)]
pub struct Success<T> {
    /// Always `true`.
    pub success: bool,
    /// The answer itself.
    pub data: T,
}

/// One page of a list.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct List<T> {
    /// The rows, newest first.
    pub items: Vec<T>,
    /// Give it as `cursor` to get the next page; `null` at the end.
    pub next_cursor: Option<String>,
    /// Whether there is a next page.
    pub has_more: bool,
    /// How many rows the page could have.
    pub limit: u32,
}

impl<T> List<T> {
    /// A page with its cursor as text.
    pub fn new(items: Vec<T>, next_cursor: Option<String>, limit: u32) -> Self {
        Self { items, has_more: next_cursor.is_some(), next_cursor, limit }
    }

    /// A page of `domain` that could have so many rows.
    pub fn of(page: Page<T>, limit: u32) -> Self {
        Self::new(page.rows, page.next.map(|it| it.to_string()), limit)
    }
}

/// A list that has no pages.
#[derive(Clone, Debug, Serialize)]
pub struct Items<T> {
    /// The rows, newest first.
    pub items: Vec<T>,
}

// These three by hand, since derived schemas would repeat that of `T` in full instead of pointing at it.
impl<T: ToSchema> PartialSchema for Success<T> {
    fn schema() -> RefOr<Schema> {
        let success = ObjectBuilder::new()
            .schema_type(SchemaType::Type(Type::Boolean))
            .enum_values(Some([true]));
        ObjectBuilder::new()
            .property("success", success)
            .property("data", Ref::from_schema_name(T::name()))
            .required("success")
            .required("data")
            .into()
    }
}

impl<T: ToSchema> ToSchema for Success<T> {
    fn name() -> Cow<'static, str> {
        Cow::Owned(format!("{}Answer", T::name()))
    }

    fn schemas(all: &mut Vec<(String, RefOr<Schema>)>) {
        all.push((T::name().into_owned(), T::schema()));
        T::schemas(all);
    }
}

fn items<T: ToSchema>() -> ObjectBuilder {
    let items = ArrayBuilder::new().items(Ref::from_schema_name(T::name()));
    ObjectBuilder::new().property("items", items).required("items")
}

impl<T: ToSchema> PartialSchema for List<T> {
    fn schema() -> RefOr<Schema> {
        let next_cursor = ObjectBuilder::new()
            .schema_type(SchemaType::from_iter([Type::String, Type::Null]))
            .description(Some("Give it as `cursor` to get the next page; `null` at the end."));
        let of = |kind| ObjectBuilder::new().schema_type(SchemaType::Type(kind));
        items::<T>()
            .description(Some("One page of a list, newest first."))
            .property("nextCursor", next_cursor)
            .property("hasMore", of(Type::Boolean))
            .property("limit", of(Type::Integer))
            .required("nextCursor")
            .required("hasMore")
            .required("limit")
            .into()
    }
}

impl<T: ToSchema> ToSchema for List<T> {
    fn name() -> Cow<'static, str> {
        Cow::Owned(format!("{}List", T::name()))
    }

    fn schemas(all: &mut Vec<(String, RefOr<Schema>)>) {
        all.push((T::name().into_owned(), T::schema()));
        T::schemas(all);
    }
}

impl<T: ToSchema> PartialSchema for Items<T> {
    fn schema() -> RefOr<Schema> {
        items::<T>().description(Some("The newest of all.")).into()
    }
}

impl<T: ToSchema> ToSchema for Items<T> {
    fn name() -> Cow<'static, str> {
        Cow::Owned(format!("Recent{}s", T::name()))
    }

    fn schemas(all: &mut Vec<(String, RefOr<Schema>)>) {
        all.push((T::name().into_owned(), T::schema()));
        T::schemas(all);
    }
}
