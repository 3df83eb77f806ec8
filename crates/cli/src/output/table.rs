//! Things and lists, as tables for people or as JSON for programs.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::io::IsTerminal as _;

use hookyard_api::client::Kept;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::{say, write};

/// A column of a list: its heading, and what stands in it.
pub type Column<T> = (&'static str, fn(&T) -> String);

/// What stands where there is nothing.
const NOTHING: &str = "-";
/// Characters of a cell; longer ones are cut, `--json` and `get` show them whole.
const CELL_CHARS_MAX: usize = 60;

/// How things are printed.
pub struct Printer {
    /// As JSON.
    pub json: bool,
    /// Headings are bold.
    bold: bool,
}

/// A list that is being printed, page after page.
pub struct Table<'a, T> {
    columns: &'a [Column<T>],
    widths: Vec<usize>,
    begun: bool,
}

impl<'a, T> Table<'a, T> {
    /// A list with these columns.
    pub fn new(columns: &'a [Column<T>]) -> Self {
        Self { columns, widths: Vec::new(), begun: false }
    }

    /// A row has been printed.
    pub fn has_begun(&self) -> bool {
        self.begun
    }

    /// The text of a page; the first one has the headings above it.
    fn page<'r>(&mut self, rows: impl Iterator<Item = &'r T>, bold: bool) -> String
    where
        T: 'r,
    {
        let cut = |text: String| cell(&text, CELL_CHARS_MAX);
        let cells: Vec<Vec<String>> =
            rows.map(|row| self.columns.iter().map(|it| cut((it.1)(row))).collect()).collect();
        if self.widths.is_empty() {
            self.widths = self.columns.iter().map(|it| it.0.chars().count()).collect();
        }
        for row in &cells {
            for (width, cell) in self.widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count());
            }
        }
        let mut text = String::new();
        if !self.begun && !cells.is_empty() {
            let head: Vec<_> = self.columns.iter().map(|it| it.0.to_owned()).collect();
            let head = self.line(&head);
            let _ = if bold {
                writeln!(text, "\u{1b}[1m{head}\u{1b}[0m")
            } else {
                writeln!(text, "{head}")
            };
        }
        self.begun |= !cells.is_empty();
        for row in &cells {
            text.push_str(&self.line(row));
            text.push('\n');
        }
        text
    }

    fn line(&self, cells: &[String]) -> String {
        let padded = cells.iter().zip(&self.widths).map(|(cell, width)| format!("{cell:width$}"));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    }
}

impl Printer {
    /// Tables, or JSON; bold only on a terminal that may have it (<https://no-color.org>).
    pub fn new(json: bool, lookup: &dyn Fn(&str) -> Option<OsString>) -> Self {
        Self { json, bold: std::io::stdout().is_terminal() && may_be_bold(lookup) }
    }

    /// Prints one thing.
    pub fn document(&self, text: &RawValue) {
        if self.json {
            say(compact(text.get()));
        } else {
            write(details(text));
        }
    }

    /// Prints what was done with a thing that has no more to show.
    pub fn done(&self, id: &str, what: &str) {
        if self.json {
            say(serde_json::json!({ "id": id, what: true }).to_string());
        } else {
            say(format!("{what} {}", printable(id)));
        }
    }

    /// Prints a page of a list; false when nobody reads any more.
    pub fn rows<T>(&self, table: &mut Table<'_, T>, rows: &[Kept<T>]) -> bool {
        if self.json {
            return write(rows.iter().map(|it| compact(it.text.get()) + "\n").collect::<String>());
        }
        write(table.page(rows.iter().map(|it| &it.value), self.bold))
    }

    /// Prints more rows of a list that grows, for people alone; false when nobody reads any more.
    pub fn more<T>(&self, table: &mut Table<'_, T>, rows: &[T]) -> bool {
        write(table.page(rows.iter(), self.bold))
    }

    /// Prints rows that are at hand, for people alone.
    pub fn table<T>(&self, columns: &[Column<T>], rows: &[T]) {
        write(Table::new(columns).page(rows.iter(), self.bold));
    }
}

fn may_be_bold(lookup: &dyn Fn(&str) -> Option<OsString>) -> bool {
    let plain = lookup("NO_COLOR").is_some_and(|it| !it.is_empty());
    let dumb = lookup("TERM").is_some_and(|it| it == "dumb");
    !plain && !dumb
}

/// The members of an object, in their order.
struct Members(Vec<(String, Box<RawValue>)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Members;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        from.deserialize_map(Object)
    }
}

/// A thing, a line for each field that has a value.
fn details(text: &RawValue) -> String {
    let Ok(Members(members)) = serde_json::from_str(text.get()) else {
        return compact(text.get()) + "\n";
    };
    let shown: Vec<_> = members.iter().filter(|it| it.1.get() != "null").collect();
    let width = shown.iter().map(|it| it.0.chars().count()).max().unwrap_or(0);
    let mut lines = String::new();
    for (name, value) in shown {
        let text = serde_json::from_str::<String>(value.get());
        let text = text.unwrap_or_else(|_| compact(value.get()));
        let _ = writeln!(lines, "{:width$}  {}", printable(name), cell(&text, usize::MAX));
    }
    lines
}

fn cell(text: &str, chars_max: usize) -> String {
    if text.is_empty() {
        return NOTHING.to_owned();
    }
    let text = printable(text);
    if text.chars().count() <= chars_max {
        return text;
    }
    text.chars().take(chars_max - 1).chain(['…']).collect()
}

/// A word of the API, as it is written there.
pub fn word(it: &impl serde::Serialize) -> String {
    match serde_json::to_value(it) {
        Ok(serde_json::Value::String(word)) => word,
        Ok(other) => other.to_string(),
        Err(_) => String::new(),
    }
}

/// A text that others wrote, such that a terminal does nothing but show it.
pub fn printable(text: &str) -> String {
    // Marks of writing direction can make a text look like another.
    let turns = |it: char| matches!(it, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let mut shown = String::with_capacity(text.len());
    for char in text.chars() {
        if char.is_control() || turns(char) {
            shown.extend(char.escape_default());
        } else {
            shown.push(char);
        }
    }
    shown
}

/// JSON on one line: white space between its parts left out, texts and numbers as they were written.
fn compact(json: &str) -> String {
    let mut compact = String::with_capacity(json.len());
    let (mut in_text, mut escaped) = (false, false);
    for char in json.chars() {
        if in_text {
            in_text = char != '"' || escaped;
            escaped = char == '\\' && !escaped;
        } else if char.is_ascii_whitespace() {
            continue;
        } else {
            in_text = char == '"';
        }
        compact.push(char);
    }
    compact
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(text: &str) -> Box<RawValue> {
        RawValue::from_string(text.to_owned()).unwrap()
    }

    #[test]
    fn json_on_one_line_keeps_texts_and_numbers() {
        let text = "{ \"a b\" : [ 1.10 ,\n \"x \\\" \\\\\" ], \"c\" : \" \" }";
        assert_eq!(compact(text), "{\"a b\":[1.10,\"x \\\" \\\\\"],\"c\":\" \"}");
    }

    #[test]
    fn a_terminal_only_shows_what_others_wrote() {
        assert_eq!(
            printable("a\u{1b}[31mb\n\u{9b}c\u{202e}d é"),
            "a\\u{1b}[31mb\\n\\u{9b}c\\u{202e}d é"
        );
    }

    #[test]
    fn nothing_is_bold_where_nobody_wants_it() {
        let find = |name: &'static str, value: &'static str| {
            may_be_bold(&|it| (it == name).then(|| OsString::from(value)))
        };
        assert!(find("TERM", "xterm") && find("NO_COLOR", ""));
        assert!(!find("NO_COLOR", "1") && !find("TERM", "dumb"));
    }

    #[test]
    fn a_thing_has_a_line_for_each_value() {
        let shown = details(&raw(r#"{"id":"wh_1","name":null,"events":[ "a" ],"b":""}"#));
        assert_eq!(shown, "id      wh_1\nevents  [\"a\"]\nb       -\n");
        assert_eq!(details(&raw("[ 1 ]")), "[1]\n");
    }

    #[test]
    fn a_list_has_headings_once_and_columns_that_line_up() {
        let columns: [Column<&str>; 2] =
            [("ID", |it| (*it).to_owned()), ("LEN", |it| it.len().to_string())];
        let mut table = Table::new(&columns);
        assert_eq!(table.page([].iter(), false), "");
        assert!(!table.has_begun());
        assert_eq!(table.page(["abc", "a"].iter(), false), "ID   LEN\nabc  3\na    1\n");
        assert_eq!(table.page(["é"].iter(), false), "é    2\n");
        let long = "x".repeat(70);
        let cut = Table::new(&columns).page([&*long].iter(), true);
        assert!(cut.starts_with("\u{1b}[1mID") && cut.contains("x…  70"), "{cut}");
    }
}
