//! Renews the generated files that are committed. `xtask/tests/generated.rs` fails when one of them is out of date.

use std::fs;

use anyhow::{Context, Result, ensure};

use crate::run::{cargo, quietly, root};

const OPENAPI: &str = "docs/api/openapi.json";

/// Renews all of them.
pub fn run() -> Result<()> {
    let print = ["run", "--quiet", "--package", "hookyard-cli", "--", "openapi", "native"];
    let printed = quietly(&mut cargo(&print))?;
    ensure!(printed.starts_with(b"{"), "`hookyard openapi native` printed no JSON object");
    let path = root().join(OPENAPI);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
    }
    let is_new = fs::read(&path).ok().as_deref() != Some(printed.as_slice());
    fs::write(&path, &printed).with_context(|| format!("writing {OPENAPI}"))?;
    println!("{OPENAPI}: {}", if is_new { "renewed" } else { "unchanged" });
    Ok(())
}
