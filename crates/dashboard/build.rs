//! Builds the pages in `ui` with Node.js and embeds what comes of it. In debug builds npm never runs, and a build without
//! Node.js is one without pages: the server shows a notice that says why. `HOOKYARD_UI=require` makes that an error and builds
//! the pages in debug builds too, `HOOKYARD_UI=off` leaves them out, `HOOKYARD_UI_DIST=DIR` takes them as they were built
//! elsewhere (`vite build`, then `node compress.mjs DIR`).

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{fs, io};

const ROOM: &str = env!("CARGO_MANIFEST_DIR");
/// What the pages are made of, below `ui`.
const INPUTS: [&str; 7] = [
    "index.html",
    "package.json",
    "package-lock.json",
    "public",
    "src",
    "tsconfig.json",
    "vite.config.ts",
];
/// The oldest Node.js that builds them.
const NODE: (u32, u32) = (20, 19);

type Built<T> = Result<T, Box<dyn std::error::Error>>;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if let Err(error) = embed() {
        eprintln!("{error}");
        std::process::exit(1);
    }
}

fn embed() -> Built<()> {
    let out = PathBuf::from(variable("OUT_DIR").ok_or("cargo sets OUT_DIR")?);
    let found = pages(&out)?;
    fs::write(out.join("pages.rs"), source(found.as_deref())?)?;
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "a build script is set by its environment alone")]
fn variable(name: &str) -> Option<String> {
    if name.starts_with("HOOKYARD_") {
        println!("cargo::rerun-if-env-changed={name}");
    }
    std::env::var(name).ok().filter(|it| !it.is_empty())
}

/// The folder of the built pages, or why there are none.
fn pages(out: &Path) -> Built<Result<PathBuf, String>> {
    if let Some(dist) = variable("HOOKYARD_UI_DIST") {
        println!("cargo::rerun-if-changed={dist}");
        let dist = Path::new(&dist)
            .canonicalize()
            .map_err(|it| format!("HOOKYARD_UI_DIST={dist}: {it}"))?;
        return Ok(Ok(dist));
    }
    let is_required = match variable("HOOKYARD_UI").as_deref() {
        None => false,
        Some("require") => true,
        Some("off") => {
            return Ok(Err("it was left out when this was built (HOOKYARD_UI=off)".into()));
        }
        Some(other) => return Err(format!("HOOKYARD_UI={other}: use `require` or `off`").into()),
    };
    if !is_required && variable("PROFILE").as_deref() != Some("release") {
        let why = "this is a debug build; build with `--release`, or run `npm run dev` in crates/dashboard/ui";
        return Ok(Err(why.into()));
    }
    let ui = Path::new(ROOM).join("ui");
    INPUTS.iter().for_each(|it| println!("cargo::rerun-if-changed=ui/{it}"));
    println!("cargo::rerun-if-changed=compress.mjs");
    let lacking = if !ui.join("package.json").exists() {
        Some("its sources were not there when this was built".to_owned())
    } else {
        lacking_node()
    };
    if let Some(why) = lacking {
        if is_required {
            return Err(format!("HOOKYARD_UI=require, but {why}").into());
        }
        println!("cargo::warning=the dashboard is not built in: {why}");
        look_again_when_installed();
        return Ok(Err(why));
    }
    build(&ui, &out.join("dist")).map(Ok)
}

/// Once Node.js is there, the next build has the pages, though nothing of ours has changed.
fn look_again_when_installed() {
    println!("cargo::rerun-if-env-changed=PATH");
    let path = variable("PATH").unwrap_or_default();
    for folder in std::env::split_paths(&path).filter(|it| it.is_dir()) {
        println!("cargo::rerun-if-changed={}", folder.display());
    }
}

/// What is wrong with the Node.js that is there.
fn lacking_node() -> Option<String> {
    let (major, minor) = NODE;
    let wanted =
        format!("Node.js {major}.{minor} or newer with npm was not found when this was built");
    let Ok(said) = Command::new("node").arg("--version").output() else { return Some(wanted) };
    let said = String::from_utf8_lossy(&said.stdout).trim().to_owned();
    let mut numbers =
        said.trim_start_matches('v').split('.').map(|it| it.parse::<u32>().unwrap_or(0));
    let found = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    let has_npm = Command::new("npm").arg("--version").output().is_ok_and(|it| it.status.success());
    (found < NODE || !has_npm).then(|| format!("{wanted} (there was {said})"))
}

fn build(ui: &Path, dist: &Path) -> Built<PathBuf> {
    // What is installed for this lock file already stays: whoever works on the pages keeps their folder.
    let (lock, stamp) =
        (fs::read(ui.join("package-lock.json"))?, ui.join("node_modules/.installed-lock"));
    if fs::read(&stamp).ok().as_ref() != Some(&lock) {
        run(ui, "npm", &["ci", "--no-audit", "--no-fund", "--loglevel", "error"])?;
        fs::write(&stamp, &lock)?;
    }
    let to = dist.to_string_lossy();
    run(
        ui,
        "node",
        &["node_modules/vite/bin/vite.js", "build", "--outDir", &to, "--logLevel", "warn"],
    )?;
    run(Path::new(ROOM), "node", &["compress.mjs", &to])?;
    Ok(dist.to_owned())
}

fn run(folder: &Path, program: &str, arguments: &[&str]) -> Built<()> {
    let output =
        Command::new(program).args(arguments).current_dir(folder).env("NO_COLOR", "1").output()?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    Err(format!("`{program} {}` failed: {}", arguments.join(" "), String::from_utf8_lossy(&said))
        .into())
}

/// The Rust source that embeds the pages.
fn source(found: Result<&Path, &String>) -> Built<String> {
    let mut files = String::new();
    let (index, missing) = match found {
        Ok(dist) => {
            write_files(dist, dist, &mut files)?;
            (format!("Some(include_str!({:?}))", dist.join("index.html")), "None".to_owned())
        }
        Err(why) => ("None".to_owned(), format!("Some({why:?})")),
    };
    Ok(format!(
        "const INDEX: Option<&str> = {index};\nconst MISSING: Option<&str> = {missing};\nconst FILES: &[File] = &[\n{files}];\n"
    ))
}

/// A line for each file that is served as it is, with its compressed forms where there are some.
fn write_files(folder: &Path, dist: &Path, into: &mut String) -> Built<()> {
    let mut paths: Vec<PathBuf> =
        fs::read_dir(folder)?.map(|it| it.map(|it| it.path())).collect::<io::Result<_>>()?;
    paths.sort();
    for path in paths {
        if path.is_dir() {
            write_files(&path, dist, into)?;
            continue;
        }
        let name = path.strip_prefix(dist)?.to_string_lossy().replace('\\', "/");
        if name == "index.html" || name.ends_with(".br") || name.ends_with(".gz") {
            continue;
        }
        let packed = |ending: &str| {
            let packed = PathBuf::from(format!("{}.{ending}", path.display()));
            if packed.exists() {
                format!("Some(include_bytes!({packed:?}))")
            } else {
                "None".into()
            }
        };
        let (brotli, gzip) = (packed("br"), packed("gz"));
        writeln!(
            into,
            "    File {{ path: {name:?}, plain: include_bytes!({path:?}), brotli: {brotli}, gzip: {gzip} }},"
        )?;
    }
    Ok(())
}
