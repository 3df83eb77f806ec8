//! What packages are made by: the files they name are there, their versions are the workspace's, and the image gives nobody
//! rights. The gate builds and tries them (`cargo xtask trial`).

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as loudly as the tests themselves")]

use toml::Table;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

fn read(path: &str) -> String {
    std::fs::read_to_string(format!("{ROOT}/{path}")).unwrap_or_else(|it| panic!("{path}: {it}"))
}

fn manifest(path: &str) -> Table {
    read(path).parse().unwrap()
}

fn deb() -> Table {
    let cli = manifest("crates/cli/Cargo.toml");
    cli["package"]["metadata"]["deb"].as_table().unwrap().clone()
}

#[test]
fn every_file_of_the_debian_package_is_committed_or_made_by_dist() {
    let deb = deb();
    let mut files: Vec<String> = ["changelog", "maintainer-scripts"]
        .iter()
        .map(|key| deb[*key].as_str().unwrap().to_owned())
        .collect();
    files.push(deb["license-file"][0].as_str().unwrap().to_owned());
    for asset in deb["assets"].as_array().unwrap() {
        files.push(asset[0].as_str().unwrap().to_owned());
    }
    let dist = read("xtask/src/packages/dist.rs");
    for file in files {
        let file = file.trim_start_matches("../../");
        match file.strip_prefix("target/dist/") {
            None => assert!(std::fs::metadata(format!("{ROOT}/{file}")).is_ok(), "{file}"),
            Some(made) => {
                let name = made.trim_start_matches("completions/").trim_end_matches("/*.1");
                assert!(dist.contains(&format!("\"{name}\"")), "dist does not make {file}");
            }
        }
    }
    let settings = deb["conf-files"][0].as_str().unwrap();
    let unit = read("packaging/systemd/hookyard.service");
    assert!(unit.contains(&format!("EnvironmentFile=-{settings}")), "{settings}");
    let units = deb["systemd-units"][0]["unit-scripts"].as_str();
    assert_eq!(units, Some("../../packaging/systemd/"), "there is one unit");
}

#[test]
fn the_debian_package_has_the_version_of_the_workspace() {
    let version = &manifest("Cargo.toml")["workspace"]["package"]["version"];
    let first = format!("hookyard ({}-1)", version.as_str().unwrap());
    let changelog = read("packaging/debian/changelog");
    assert!(changelog.starts_with(&first), "{changelog}");
}

#[test]
fn the_image_holds_the_binary_alone_and_gives_nobody_rights() {
    let dockerfile = read("Dockerfile");
    let (_, last) = dockerfile.rsplit_once("\nFROM ").unwrap();
    assert!(last.starts_with("scratch\n"), "{last}");
    for line in
        ["USER 10001:10001", "VOLUME /var/lib/hookyard", "STOPSIGNAL SIGTERM", "CMD [\"serve\"]"]
    {
        assert!(last.lines().any(|it| it == line), "{line}");
    }
    assert!(last.contains("CMD [\"/usr/bin/hookyard\", \"healthcheck\"]"));
    let toolchain = &manifest("rust-toolchain.toml")["toolchain"]["channel"];
    let channel = toolchain.as_str().unwrap().rsplit_once('.').unwrap().0.to_owned();
    assert!(dockerfile.contains(&format!("/rust:{channel}-")), "the toolchain is {channel}");
}
