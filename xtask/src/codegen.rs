//! Renews the generated files that are committed. `xtask/tests/generated.rs` fails when one of them is out of date.

use std::fs;

use anyhow::{Context, Result, ensure};

use crate::run::{cargo, quietly, root};

/// Each surface's OpenAPI document, and the file it is committed as.
const OPENAPI: &[(&str, &str)] = &[
    ("native", "docs/api/openapi.json"),
    ("aly", "docs/api/openapi-aly.json"),
    ("alvys", "docs/api/openapi-alvys.json"),
    ("alumia", "docs/api/openapi-alumia.json"),
];

/// Renews all of them.
pub fn run() -> Result<()> {
    OPENAPI.iter().try_for_each(|(surface, file)| renew(surface, file))
}

fn renew(surface: &str, file: &str) -> Result<()> {
    let print = ["run", "--quiet", "--package", "hookyard-cli", "--", "openapi", surface];
    let printed = quietly(&mut cargo(&print))?;
    ensure!(printed.starts_with(b"{"), "`hookyard openapi {surface}` printed no JSON object");
    let path = root().join(file);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
    }
    let is_new = fs::read(&path).ok().as_deref() != Some(printed.as_slice());
    fs::write(&path, &printed).with_context(|| format!("writing {file}"))?;
    println!("{file}: {}", if is_new { "renewed" } else { "unchanged" });
    Ok(())
}
