//! The conventions of docs/architecture.md, tested on the sources and on the built binary.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const RBOX: &str = env!("CARGO_BIN_EXE_rbox");

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("applets/ is in the workspace").to_path_buf()
}

fn sources(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).expect("a directory of sources") {
        let path = entry.expect("a readable entry").path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

fn groups() -> Vec<PathBuf> {
    let entries = fs::read_dir(root().join("applets")).expect("the groups' directory");
    entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| path.join("Cargo.toml").exists()).collect()
}

fn run(words: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new(RBOX).args(words).stdin(std::process::Stdio::null()).output().expect("rbox starts");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

fn names() -> Vec<String> {
    run(&["--list"]).1.lines().map(str::to_string).collect()
}

#[test]
fn groups_forbid_unsafe_code_and_import_only_core() {
    let groups = groups();
    assert!(groups.len() > 10);
    for group in groups {
        let library = fs::read_to_string(group.join("src/lib.rs")).expect("each group has a lib.rs");
        assert!(library.contains("#![forbid(unsafe_code)]"), "{}", group.display());
        let manifest = fs::read_to_string(group.join("Cargo.toml")).expect("each group has a Cargo.toml");
        let others = manifest.lines().filter(|line| line.starts_with("rbox-") && !line.starts_with("rbox-core"));
        assert_eq!(others.count(), 0, "{} imports another group", group.display());
    }
}

/// The compiler holds the rule where the attributes are; this looks that they are there, and that nothing else allows more.
#[test]
fn unsafe_is_in_core_sys_and_the_entry_alone() {
    let count = |path: &str, text: &str| {
        let source = fs::read_to_string(root().join(path)).expect("a readable source");
        source.matches(text).count()
    };
    for (path, allowed) in [("core/src/lib.rs", 1), ("applets/src/main.rs", 2)] {
        assert_eq!((count(path, "#![deny(unsafe_code)]"), count(path, "allow(unsafe_code)")), (1, allowed), "{path}");
    }
    assert_eq!(count("core/src/lib.rs", "#[allow(unsafe_code)]\npub mod sys;"), 1);
    let core = root().join("core/src");
    for path in sources(&core) {
        let text = fs::read_to_string(&path).expect("a readable source");
        if path.starts_with(core.join("sys")) {
            let above = text.lines().find(|line| line.contains("crate::") && !line.contains("crate::sys"));
            assert_eq!(above.filter(|line| !line.contains("$crate::sys")), None, "{}", path.display());
        } else if path != core.join("lib.rs") {
            assert!(!text.contains("(unsafe_code)"), "{}", path.display());
        }
    }
}

#[test]
fn every_file_says_what_it_is() {
    let mut directories: Vec<PathBuf> = groups().iter().map(|group| group.join("src")).collect();
    directories.extend(
        ["core/src", "build-image/src", "compat-suite/src", "applets/src"].map(|directory| root().join(directory)),
    );
    for path in directories.iter().flat_map(|directory| sources(directory)) {
        let text = fs::read_to_string(&path).expect("a readable source");
        assert!(text.starts_with("//! "), "{}", path.display());
    }
}

#[test]
fn every_group_is_in_the_registry() {
    let registry = fs::read_to_string(root().join("applets/src/registry.rs")).expect("the registry");
    for group in groups() {
        let name = group.file_name().expect("a name").to_string_lossy().into_owned();
        assert!(registry.lines().any(|line| line.trim() == format!("rbox_{name}")), "{name} is not in groups!");
    }
}

#[test]
fn every_file_of_a_group_belongs_to_a_row() {
    for group in groups() {
        let library = fs::read_to_string(group.join("src/lib.rs")).expect("each group has a lib.rs");
        for entry in fs::read_dir(group.join("src")).expect("each group has sources") {
            let path = entry.expect("a readable entry").path();
            let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
            let declared = |form: &str| library.contains(&form.replace('X', &name));
            assert!(
                name == "lib" || ["    X: ", "    r#X: ", "mod X;"].into_iter().any(declared),
                "{}",
                path.display()
            );
        }
    }
}

#[test]
fn every_applet_answers_help_and_version_and_has_a_man_page() {
    let names = names();
    assert!(names.is_sorted());
    let version = concat!(env!("CARGO_PKG_VERSION"), "\n");
    for name in &names {
        let (status, page, _) = run(&["--man", name]);
        assert_eq!(status, Some(0), "--man {name}");
        assert!(page.contains(".SH SYNOPSIS"), "--man {name}");
        // To these every word is data.
        if matches!(name.as_str(), "echo" | "test" | "[" | "[[") {
            continue;
        }
        let (status, stdout, stderr) = run(&[name, "--help"]);
        // What is false stays so, as with GNU.
        let expected = i32::from(name == "false");
        assert_eq!((status, stderr.as_str()), (Some(expected), ""), "{name} --help");
        assert!(!stdout.is_empty(), "{name} --help");
        // Two blanks end an option and its value: a word of the description would be read as a value.
        let rows = stdout.lines().filter_map(|line| line.strip_prefix("  ")).map(str::trim_start);
        let options = rows.filter(|line| line.starts_with('-'));
        for option in options.filter_map(|line| line.split("  ").next()) {
            let value = option.rsplit(' ').next().unwrap_or_default();
            let is_value =
                value.starts_with(['-', '[', '+']) || !value.contains(|character: char| character.is_ascii_lowercase());
            assert!(is_value || value.contains('='), "{name} --help: {option}");
        }
        let (status, stdout, stderr) = run(&[name, "--version"]);
        assert_eq!((status, stderr.as_str()), (Some(expected), ""), "{name} --version");
        assert!(stdout.starts_with(&format!("{name} (rbox) {version}")), "{name} --version: {stdout}");
        assert!(stdout.contains("BusyBox"), "{name} --version: {stdout}");
    }
}

#[test]
fn lists_agree_and_links_lead_to_applets() {
    let full = run(&["--list-full"]).1;
    let last: Vec<&str> = full.lines().map(|path| path.rsplit('/').next().unwrap_or("")).collect();
    assert_eq!(last, names());
    let directory = std::env::temp_dir().join(format!("rbox-install.{}", std::process::id()));
    fs::create_dir(&directory).expect("a fresh directory");
    let (status, _, stderr) = run(&["--install", "-s", directory.to_str().expect("a plain path")]);
    let output = Command::new(directory.join("basename")).arg("/a/b").output();
    fs::remove_dir_all(&directory).expect("the directory can be removed");
    assert_eq!((status, stderr.as_str()), (Some(0), ""));
    assert_eq!(output.expect("the link starts").stdout, b"b\n");
}

#[test]
fn an_unknown_name_is_an_error() {
    let (status, stdout, stderr) = run(&["nosuchapplet"]);
    assert_eq!((status, stdout.as_str(), stderr.as_str()), (Some(127), "", "rbox: nosuchapplet: applet not found\n"));
}

#[test]
fn a_lost_write_is_an_error() {
    for words in [&["echo", "x"][..], &["ls", "/"], &["cat", "/etc/passwd"], &["--list"], &["head", "/etc/passwd"]] {
        if words[0] != "--list" && !names().contains(&words[0].to_string()) {
            continue;
        }
        let full = fs::OpenOptions::new().write(true).open("/dev/full").expect("the kernel has /dev/full");
        let output = Command::new(RBOX).args(words).stdout(full).output().expect("rbox starts");
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_ne!(output.status.code(), Some(0), "{words:?}");
        assert!(text.contains("No space left on device"), "{words:?}: {text}");
    }
}
