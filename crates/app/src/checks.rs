//! Checks of what callers wrote, gathered, so that all wrong fields are told at once.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::str::FromStr;

use hookyard_domain::invalid::Invalid;
use hookyard_domain::time::Timestamp;

use crate::error::AppError;

/// What was found wrong so far.
#[derive(Debug, Default)]
pub(crate) struct Checks(Vec<Invalid>);

impl Checks {
    /// Notes a wrong field.
    pub(crate) fn wrong(
        &mut self,
        pointer: impl Into<String>,
        code: &'static str,
        message: impl Into<String>,
    ) {
        self.0.push(Invalid::new(pointer, code, message));
    }

    /// Notes several.
    pub(crate) fn all(&mut self, wrong: impl IntoIterator<Item = Invalid>) {
        self.0.extend(wrong);
    }

    /// The end of the checks: an error if anything was wrong.
    pub(crate) fn done(self) -> Result<(), AppError> {
        if self.0.is_empty() { Ok(()) } else { Err(AppError::Invalid(self.0)) }
    }

    /// Unpacks a checked value at the end of the checks. `None` goes with a wrong field that was noted for it.
    pub(crate) fn done_with<T>(self, value: Option<T>) -> Result<T, AppError> {
        self.done()?;
        value.ok_or_else(|| AppError::Internal("a check failed without saying why".into()))
    }

    /// A value with a text form of its own.
    pub(crate) fn parse<T>(
        &mut self,
        pointer: &str,
        code: &'static str,
        text: Option<&str>,
    ) -> Option<T>
    where
        T: FromStr,
        T::Err: Display,
    {
        match text?.parse() {
            Ok(value) => Some(value),
            Err(error) => {
                self.wrong(pointer, code, error.to_string());
                None
            }
        }
    }

    /// The same, for a field that must be there.
    pub(crate) fn parse_required<T>(
        &mut self,
        pointer: &str,
        code: &'static str,
        text: &str,
    ) -> Option<T>
    where
        T: FromStr,
        T::Err: Display,
    {
        if text.is_empty() {
            self.required(pointer);
            return None;
        }
        self.parse(pointer, code, Some(text))
    }

    /// Notes that a field is missing.
    pub(crate) fn required(&mut self, pointer: &str) {
        self.wrong(pointer, "required", "this field is required");
    }

    /// A text for people, of 1 to `most` characters.
    pub(crate) fn text(
        &mut self,
        pointer: &str,
        text: Option<String>,
        most: usize,
    ) -> Option<String> {
        let text = text?;
        if text.is_empty() {
            self.wrong(pointer, "too_short", "leave the field out instead of an empty text");
        } else if text.chars().count() > most {
            self.wrong(pointer, "too_long", format!("use {most} characters at most"));
        } else if text.chars().any(|it| it.is_control() && it != '\n' && it != '\t') {
            self.wrong(pointer, "bad_character", "control characters are not allowed");
        }
        Some(text)
    }

    /// A whole number between two bounds, both included.
    pub(crate) fn whole<T: TryFrom<i64>>(
        &mut self,
        pointer: &str,
        number: Option<i64>,
        least: i64,
        most: i64,
    ) -> Option<T> {
        let number = number?;
        let good = (least..=most).contains(&number);
        let value = good.then(|| T::try_from(number).ok()).flatten();
        if value.is_none() {
            self.wrong(pointer, "out_of_range", format!("use {least} to {most}"));
        }
        value
    }

    /// A time.
    pub(crate) fn time(&mut self, pointer: &str, text: Option<&str>) -> Option<Timestamp> {
        self.parse(pointer, "bad_time", text)
    }

    /// One of a list of names.
    pub(crate) fn one_of<T: Copy>(
        &mut self,
        pointer: &str,
        text: Option<&str>,
        all: &[T],
        name: impl Fn(T) -> &'static str,
    ) -> Option<T> {
        let text = text?;
        let found = all.iter().copied().find(|it| name(*it) == text);
        if found.is_none() {
            let names: Vec<_> = all.iter().map(|it| format!("`{}`", name(*it))).collect();
            self.wrong(pointer, "unknown_value", format!("use one of {}", names.join(", ")));
        }
        found
    }

    /// A list without the repetitions, order kept.
    pub(crate) fn distinct<T: Ord + Clone>(list: Vec<T>) -> Vec<T> {
        let mut seen = BTreeSet::new();
        list.into_iter().filter(|it| seen.insert(it.clone())).collect()
    }
}

/// A pointer to a member, escaped as RFC 6901 wants it.
pub(crate) fn member(parent: &str, name: &str) -> String {
    format!("{parent}/{}", name.replace('~', "~0").replace('/', "~1"))
}

/// The id in a path. What is no id at all names nothing.
pub(crate) fn path_id<T: FromStr>(text: &str, what: &'static str) -> Result<T, AppError> {
    text.parse().map_err(|_| AppError::NotFound { what })
}
