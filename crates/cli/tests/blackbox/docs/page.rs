//! A page of the manual, and the blocks between its fences.

/// A block between fences.
#[derive(Clone, Debug)]
pub struct Block {
    /// What stands behind the opening fence.
    pub language: String,
    pub text: String,
    /// The file that the line of text before it wants it saved as.
    pub saved_as: Option<String>,
}

/// The text of a page below `docs`.
pub fn text(name: &str) -> String {
    let path = format!("{}/../../docs/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The blocks of a page, in order.
pub fn blocks(page: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    let mut said = "";
    for line in page.lines() {
        match (line.strip_prefix("```"), &mut open) {
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some(language), None) => {
                let name = std::mem::take(&mut said)
                    .strip_prefix("Save this as `")
                    .and_then(|it| it.split('`').next());
                let saved_as = name.map(ToOwned::to_owned);
                open = Some(Block { language: language.to_owned(), text: String::new(), saved_as });
            }
            (None, Some(block)) => {
                block.text.push_str(line);
                block.text.push('\n');
            }
            (None, None) if !line.is_empty() => said = line,
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a fence is not closed");
    blocks
}

/// The one block in a language.
#[track_caller]
pub fn block(page: &str, language: &str) -> String {
    let found: Vec<_> = blocks(page).into_iter().filter(|it| it.language == language).collect();
    assert_eq!(found.len(), 1, "{language}");
    found[0].text.clone()
}
