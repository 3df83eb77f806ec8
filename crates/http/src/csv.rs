//! Comma-separated values.

/// One cell, quoted where RFC 4180 wants it. What a spreadsheet would run as a formula gets an apostrophe in front.
pub(crate) fn cell(text: &mut String, value: &str) {
    let formula = value.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let guard = if formula { "'" } else { "" };
    if formula || value.contains([',', '"', '\r', '\n']) {
        text.push('"');
        text.push_str(guard);
        text.push_str(&value.replace('"', "\"\""));
        text.push('"');
    } else {
        text.push_str(value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(value: &str, want: &str) {
        let mut text = String::new();
        cell(&mut text, value);
        assert_eq!(text, want);
    }

    #[test]
    fn a_cell_is_quoted_where_needed_and_never_a_formula() {
        check("order.created", "order.created");
        check("", "");
        check("a,b", "\"a,b\"");
        check("say \"hi\"", "\"say \"\"hi\"\"\"");
        check("=1+1", "\"'=1+1\"");
        check("-x", "\"'-x\"");
        check("@x", "\"'@x\"");
        check("+x", "\"'+x\"");
    }
}
