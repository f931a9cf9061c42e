//! What is in the programs and under which terms: the licence texts of all its parts, and a list of them as SPDX 2.3.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

/// Where to write.
#[derive(clap::Args, Clone, Debug)]
pub struct Options {
    /// The file for the licence texts
    #[arg(long, value_name = "FILE", default_value = "target/rbox.licenses.txt")]
    pub texts: PathBuf,
    /// The file for the bill of materials (SPDX 2.3, JSON)
    #[arg(long, value_name = "FILE", default_value = "target/rbox.spdx.json")]
    pub sbom: PathBuf,
}

/// A part of the binary.
struct Part {
    name: String,
    version: String,
    /// An SPDX licence expression.
    license: String,
    /// The files with its terms.
    texts: Vec<PathBuf>,
    depends_on: BTreeSet<String>,
    /// Where its registry has it, as a package URL.
    locator: String,
}

/// Parts that no crate brings: the file is Debian's, which builds the binary with them.
const SYSTEM: [(&str, &str, &str, &str); 2] = [
    ("musl", "musl-dev", "MIT", "/usr/share/doc/musl-dev/copyright"),
    ("rust-std", "rustc-web", "MIT OR Apache-2.0", "/usr/share/doc/rustc-web/copyright"),
];

/// Writes both files.
pub fn write(options: &Options) -> Result<()> {
    let mut parts = crates()?;
    for (name, package, license, file) in SYSTEM {
        let file = PathBuf::from(file);
        if !file.is_file() {
            // Another toolchain built the binary; its own documents have the terms.
            continue;
        }
        let version = command_output(Command::new("dpkg-query").args(["-W", "-f=${Version}", package]))?;
        let part = Part {
            name: name.into(),
            version,
            license: license.into(),
            texts: vec![file],
            depends_on: BTreeSet::new(),
            locator: format!("pkg:deb/debian/{package}"),
        };
        parts.insert(name.to_string(), part);
    }
    fs::write(&options.texts, texts(&parts)?).with_context(|| options.texts.display().to_string())?;
    let sbom = serde_json::to_string_pretty(&sbom(&parts)?)? + "\n";
    fs::write(&options.sbom, sbom).with_context(|| options.sbom.display().to_string())?;
    eprintln!("licenses   {} parts, {}, {}", parts.len(), options.texts.display(), options.sbom.display());
    Ok(())
}

fn command_output(command: &mut Command) -> Result<String> {
    let output = command.output().with_context(|| format!("{:?}", command.get_program()))?;
    ensure!(output.status.success(), "{:?}: {}", command.get_program(), String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?.trim().to_string())
}

/// The crates that the two programs link, by their names, as `cargo metadata` has them.
fn crates() -> Result<BTreeMap<String, Part>> {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml");
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["metadata", "--format-version=1", "--locked", "--filter-platform=x86_64-unknown-linux-musl"]);
    let metadata: Value = serde_json::from_str(&command_output(cargo.args(["--manifest-path", manifest]))?)?;
    let packages: BTreeMap<&str, &Value> =
        list(&metadata["packages"]).map(|package| (text(&package["id"]), package)).collect();
    let nodes: BTreeMap<&str, &Value> =
        list(&metadata["resolve"]["nodes"]).map(|node| (text(&node["id"]), node)).collect();
    let is_program = |package: &Value| package["name"] == "rbox" || package["name"] == "ssl-client";
    let roots = packages.iter().filter(|(_, package)| is_program(package)).map(|(id, _)| *id);
    let (mut parts, mut waiting) = (BTreeMap::new(), roots.collect::<Vec<_>>());
    while let Some(id) = waiting.pop() {
        let package = packages[id];
        let key = format!("{}-{}", text(&package["name"]), text(&package["version"]));
        if parts.contains_key(&key) {
            continue;
        }
        // What only builds or tests is not in the binary, and a macro leaves nothing of itself.
        let linked = list(&nodes[id]["deps"]).filter(|dependency| {
            list(&dependency["dep_kinds"]).any(|kind| kind["kind"].is_null())
                && !list(&packages[text(&dependency["pkg"])]["targets"]).any(|target| target["kind"][0] == "proc-macro")
        });
        let linked: Vec<&str> = linked.map(|dependency| text(&dependency["pkg"])).collect();
        let name_of = |id: &&str| format!("{}-{}", text(&packages[*id]["name"]), text(&packages[*id]["version"]));
        let directory = Path::new(text(&package["manifest_path"])).parent().context("a manifest has a directory")?;
        let is_own = package["source"].is_null();
        let part = Part {
            name: text(&package["name"]).into(),
            version: text(&package["version"]).into(),
            license: package["license"].as_str().unwrap_or("NOASSERTION").replace('/', " OR "),
            texts: if is_own { vec![Path::new(manifest).with_file_name("LICENSE")] } else { license_files(directory)? },
            depends_on: linked.iter().map(name_of).collect(),
            locator: format!("pkg:cargo/{}@{}", text(&package["name"]), text(&package["version"])),
        };
        ensure!(!part.texts.is_empty(), "{key}: no licence text in {}", directory.display());
        parts.insert(key, part);
        waiting.extend(linked);
    }
    Ok(parts)
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn license_files(directory: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).with_context(|| directory.display().to_string())? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().to_ascii_uppercase();
        if ["LICENSE", "LICENCE", "COPYING", "COPYRIGHT", "UNLICENSE"].iter().any(|start| name.starts_with(start))
            && entry.path().is_file()
        {
            found.push(entry.path());
        }
    }
    found.sort();
    Ok(found)
}

/// All texts, each once, after the names of the parts that it is of.
fn texts(parts: &BTreeMap<String, Part>) -> Result<String> {
    let mut holders: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for part in parts.values() {
        for path in &part.texts {
            let text = fs::read(path).with_context(|| path.display().to_string())?;
            let text = String::from_utf8_lossy(&text).trim().to_string();
            let holder = format!("{} {} ({})", part.name, part.version, part.license);
            holders.entry(text).or_default().push(holder);
        }
    }
    let mut all = String::from("The licences of what is in the programs rbox and ssl_client.\n");
    for (text, holders) in holders {
        all.push_str(&format!("\n{}\n{}\n\n{text}\n", "=".repeat(78), holders.join("\n")));
    }
    Ok(all)
}

/// SPDX 2.3, clauses 6 (document), 7 (packages) and 11 (relationships).
fn sbom(parts: &BTreeMap<String, Part>) -> Result<Value> {
    let id =
        |key: &str| format!("SPDXRef-{}", key.replace(|byte: char| !byte.is_ascii_alphanumeric() && byte != '.', "-"));
    let packages: Vec<Value> = parts
        .iter()
        .map(|(key, part)| {
            json!({
                "SPDXID": id(key),
                "name": part.name,
                "versionInfo": part.version,
                "downloadLocation": "NOASSERTION",
                "filesAnalyzed": false,
                "licenseConcluded": part.license,
                "licenseDeclared": part.license,
                "copyrightText": "NOASSERTION",
                "externalRefs": [{
                    "referenceCategory": "PACKAGE-MANAGER",
                    "referenceType": "purl",
                    "referenceLocator": part.locator,
                }],
            })
        })
        .collect();
    let root = parts.keys().find(|key| parts[*key].name == "rbox").context("no part rbox")?;
    let programs = parts.keys().filter(|key| ["rbox", "ssl-client"].contains(&parts[*key].name.as_str()));
    let mut relations: Vec<Value> = programs.map(|key| relation("SPDXRef-DOCUMENT", "DESCRIBES", &id(key))).collect();
    for (key, part) in parts {
        relations.extend(part.depends_on.iter().map(|other| relation(&id(key), "DEPENDS_ON", &id(other))));
    }
    // The date of the sources, so that the same sources give the same document; outside of git there is none.
    let mut git = Command::new("git");
    git.args(["log", "-1", "--format=%cd", "--date=format-local:%Y-%m-%dT%H:%M:%SZ"]).env("TZ", "UTC");
    let date = command_output(&mut git).unwrap_or_else(|_| "1970-01-01T00:00:00Z".into());
    Ok(json!({
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": root,
        "documentNamespace": format!("urn:spdx:{root}"),
        "creationInfo": { "created": date, "creators": ["Tool: build-image"] },
        "packages": packages,
        "relationships": relations,
    }))
}

fn relation(from: &str, kind: &str, to: &str) -> Value {
    json!({ "spdxElementId": from, "relationshipType": kind, "relatedSpdxElement": to })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_crate_of_the_binary_has_its_terms() {
        let parts = crates().expect("cargo knows the crates");
        assert!(parts.values().any(|part| part.name == "memchr"));
        assert!(parts.values().all(|part| part.name != "clap"), "the host's tools are not in the binary");
        let all = texts(&parts).expect("texts that can be read");
        assert!(all.contains("Permission is hereby granted"));
        let document = sbom(&parts).expect("a document");
        assert_eq!(document["packages"].as_array().map(Vec::len), Some(parts.len()));
    }
}
