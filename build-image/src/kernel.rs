//! Stage `kernel`: Linux from source with a small configuration of its own, stored in the cache.
//!
//! The configuration is `kernel.fragment` over `allnoconfig`; the build fails if kconfig does not accept a line of the fragment.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

use crate::stage::{Stage, human_size};
use crate::{cache, tools};

/// The configuration, part of the program so that it can run in any directory.
const FRAGMENT: &str = include_str!("../kernel.fragment");

/// What `--modules` lays over it.
const MODULES: &str = include_str!("../modules.fragment");

/// The approximate number of objects that the configuration compiles; for the progress line only.
const USUAL_OBJECTS: u32 = 1600;

/// The options of the kernel.
#[derive(clap::Args, Clone, Debug, Default)]
#[group(id = "kernel-options")]
pub struct Options {
    /// Kernel source: a directory or a tarball [default: the newest /usr/src/linux-source-*.tar.xz]
    #[arg(long, value_name = "DIR|TARBALL")]
    pub source: Option<PathBuf>,
    /// Configuration fragment laid over allnoconfig [default: the one built in]
    #[arg(long, value_name = "FILE")]
    pub fragment: Option<PathBuf>,
    /// Compilers that run at once [default: number of processors]
    #[arg(long, short, value_name = "N")]
    pub jobs: Option<usize>,
    /// Build modules too: devices that the kernel emulates, kinds of interfaces
    #[arg(long)]
    pub modules: bool,
    /// Build anew although the cache has this kernel
    #[arg(long)]
    pub rebuild: bool,
}

/// A kernel that is ready in the cache.
pub struct Kernel {
    pub image: PathBuf,
    pub config: PathBuf,
    /// The directory that holds lib/modules, an overlay for the root tree.
    pub modules: Option<PathBuf>,
}

/// Finds the kernel in the cache or builds it.
pub fn build(options: &Options) -> Result<Kernel> {
    let stage = Stage::begin("kernel");
    let mut fragment = match &options.fragment {
        Some(file) => fs::read_to_string(file).with_context(|| file.display().to_string())?,
        None => FRAGMENT.to_owned(),
    };
    if options.modules {
        fragment = lay_over(&fragment, MODULES);
    }
    let source = match &options.source {
        Some(path) => path.clone(),
        None => debian_source()?,
    };
    tools::require(&[tools::KERNEL, tools::UNPACK])?;
    stage.note("identifying the source");
    let key = cache::key(&[identity(&source)?.as_bytes(), fragment.as_bytes(), compiler()?.as_bytes()]);
    let directory = cache::directory()?.join(format!("kernel-{}", &key[..16]));
    let modules = options.modules.then(|| directory.join("modules"));
    let kernel = Kernel { image: directory.join("bzImage"), config: directory.join("config"), modules };
    // The image is written last, so its presence means that the entry is complete.
    if options.rebuild || !kernel.image.exists() {
        compile(&stage, options, &source, &fragment, &directory)?;
    }
    let size = kernel.image.metadata()?.len();
    stage.end(&format!("{} ({})", kernel.image.display(), human_size(size)));
    Ok(kernel)
}

/// The newest tarball of Debian's linux-source packages.
pub fn debian_source() -> Result<PathBuf> {
    newest_source(Path::new("/usr/src"))
}

fn newest_source(directory: &Path) -> Result<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).with_context(|| directory.display().to_string())? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if let Some(version) = name.strip_prefix("linux-source-").and_then(|rest| rest.strip_suffix(".tar.xz")) {
            let numbers: Vec<u32> = version.split('.').map_while(|n| n.parse().ok()).collect();
            found.push((numbers, path.clone()));
        }
    }
    found.sort();
    found.pop().map(|(_, path)| path).with_context(|| {
        format!(
            "no kernel source in {}: install Debian's package linux-source, or name one with --source",
            directory.display()
        )
    })
}

/// The identity of a source: a tarball's contents; a directory's names, sizes and times.
fn identity(source: &Path) -> Result<String> {
    if !source.is_dir() {
        return cache::sha256_file(source);
    }
    ensure!(source.join("Kconfig").exists(), "{}: not a kernel source (no Kconfig)", source.display());
    let mut listing = Vec::new();
    list_tree(source, &mut listing)?;
    Ok(cache::key(&[&listing]))
}

/// Appends every file below `directory` with its size and modification time, in a fixed order.
fn list_tree(directory: &Path, listing: &mut Vec<u8>) -> Result<()> {
    let mut entries = fs::read_dir(directory)?.collect::<std::io::Result<Vec<_>>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let meta = entry.metadata()?;
        if meta.is_dir() {
            if entry.file_name() != ".git" {
                list_tree(&entry.path(), listing)?;
            }
        } else {
            listing.extend(entry.path().as_os_str().as_bytes());
            listing.extend(format!("\0{}\0{}\n", meta.len(), meta.mtime()).as_bytes());
        }
    }
    Ok(())
}

/// The version lines of the compiler and the linker.
fn compiler() -> Result<String> {
    let mut versions = String::new();
    for tool in ["gcc", "ld"] {
        let output = Command::new(tool).arg("--version").output().with_context(|| tool.to_owned())?;
        let text = String::from_utf8_lossy(&output.stdout);
        versions.push_str(text.lines().next().unwrap_or_default());
        versions.push('\n');
    }
    Ok(versions)
}

/// Unpacks, configures and compiles in a directory beside the cache entry, then fills the entry.
fn compile(stage: &Stage, options: &Options, source: &Path, fragment: &str, directory: &Path) -> Result<()> {
    remove_abandoned(directory)?;
    let work = directory.with_extension(format!("work.{}", std::process::id()));
    let objects = work.join("objects");
    fs::create_dir_all(&objects).with_context(|| objects.display().to_string())?;
    let tree = if source.is_dir() {
        fs::canonicalize(source)?
    } else {
        stage.note("unpacking the source");
        unpack(source, &work.join("source"))?
    };
    stage.show("building: 10 to 30 minutes, once; then it is taken from the cache");
    let fragment_file = work.join("fragment");
    fs::write(&fragment_file, fragment)?;
    let mut allconfig = std::ffi::OsString::from("KCONFIG_ALLCONFIG=");
    allconfig.push(&fragment_file);
    make(stage, &tree, &objects, &[allconfig, "allnoconfig".into()], &work)?;
    let config = fs::read_to_string(objects.join(".config"))?;
    verify(fragment, &config)?;
    let jobs = match options.jobs {
        Some(jobs) => jobs,
        None => std::thread::available_parallelism().map_or(1, usize::from),
    };
    make(stage, &tree, &objects, &[format!("-j{jobs}").into(), "bzImage".into()], &work)?;
    fs::create_dir_all(directory)?;
    if options.modules {
        make(stage, &tree, &objects, &[format!("-j{jobs}").into(), "modules".into()], &work)?;
        let mut place = std::ffi::OsString::from("INSTALL_MOD_PATH=");
        place.push(directory.join("modules"));
        // The image's own depmod writes what modprobe reads.
        make(stage, &tree, &objects, &[place, "DEPMOD=true".into(), "modules_install".into()], &work)?;
    }
    fs::write(directory.join("config"), config)?;
    // A rename, because another build of the same kernel may run at the same time.
    let image = directory.join(format!("bzImage.{}", std::process::id()));
    fs::copy(objects.join("arch/x86/boot/bzImage"), &image)?;
    fs::rename(&image, directory.join("bzImage"))?;
    fs::remove_dir_all(&work).with_context(|| work.display().to_string())
}

/// Removes the directories of builds that were interrupted, more than a gigabyte each. Their names end in the PID.
fn remove_abandoned(directory: &Path) -> Result<()> {
    let Some(cache) = directory.parent().filter(|cache| cache.exists()) else {
        return Ok(());
    };
    for entry in fs::read_dir(cache)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if let Some((_, pid)) = name.split_once(".work.")
            && !Path::new("/proc").join(pid).exists()
        {
            fs::remove_dir_all(&path).with_context(|| path.display().to_string())?;
        }
    }
    Ok(())
}

/// Unpacks a tarball and returns the one directory that it holds.
fn unpack(tarball: &Path, into: &Path) -> Result<PathBuf> {
    fs::create_dir_all(into)?;
    let status = Command::new("tar").arg("-xf").arg(tarball).arg("-C").arg(into).status().context("tar")?;
    ensure!(status.success(), "{}: tar failed", tarball.display());
    for entry in fs::read_dir(into)? {
        let path = entry?.path();
        if path.join("Kconfig").exists() {
            return Ok(path);
        }
    }
    bail!("{}: holds no kernel source", tarball.display())
}

/// Runs make in the kernel's tree; what it prints goes to a log, whose end is shown when it fails.
fn make(stage: &Stage, tree: &Path, objects: &Path, goals: &[std::ffi::OsString], work: &Path) -> Result<()> {
    let log_path = work.join("log");
    let mut log =
        File::options().create(true).append(true).open(&log_path).with_context(|| log_path.display().to_string())?;
    let mut output = std::ffi::OsString::from("O=");
    output.push(objects);
    let mut child = Command::new("make")
        .arg("-C")
        .arg(tree)
        .arg(output)
        .arg("ARCH=x86_64")
        // Who, where and when must not be in the image: two builds give the same bytes.
        .env("KBUILD_BUILD_TIMESTAMP", "1970-01-01 00:00:00 UTC")
        .env("KBUILD_BUILD_USER", "rbox")
        .env("KBUILD_BUILD_HOST", "rbox")
        .env("KBUILD_BUILD_VERSION", "1")
        .env("LC_ALL", "C")
        .env("TZ", "UTC")
        // A make around this program must not hand its flags to the kernel's.
        .env_remove("MAKEFLAGS")
        .env_remove("MFLAGS")
        .env_remove("MAKELEVEL")
        .env_remove("LOCALVERSION")
        .args(goals)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(log.try_clone()?)
        .spawn()
        .context("make")?;
    let stdout = child.stdout.take().expect("the pipe was asked for two lines above");
    let mut compiled = 0;
    for line in BufReader::new(stdout).split(b'\n') {
        let mut line = line?;
        if line.starts_with(b"  CC ") {
            compiled += 1;
            stage.note(&format!("compiled {compiled} of about {USUAL_OBJECTS}"));
        }
        line.push(b'\n');
        log.write_all(&line)?;
    }
    if child.wait()?.success() {
        return Ok(());
    }
    let mut text = Vec::new();
    File::open(&log_path)?.read_to_end(&mut text)?;
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    let last = lines[lines.len().saturating_sub(30)..].join("\n");
    bail!("the kernel's make failed; the end of {}:\n{last}", log_path.display())
}

/// A fragment without the lines whose symbols another one sets, and that one after it.
fn lay_over(fragment: &str, over: &str) -> String {
    let symbol = |line: &str| {
        let line = line.trim_start_matches("# ");
        line.split(['=', ' ']).next().filter(|name| name.starts_with("CONFIG_")).map(str::to_owned)
    };
    let set: std::collections::BTreeSet<String> = over.lines().filter_map(symbol).collect();
    let kept = fragment.lines().filter(|line| symbol(line).is_none_or(|name| !set.contains(&name)));
    kept.chain(over.lines()).map(|line| format!("{line}\n")).collect()
}

/// Checks that kconfig accepted every line of the fragment: it silently drops symbols with unmet dependencies.
fn verify(fragment: &str, config: &str) -> Result<()> {
    let lines: std::collections::BTreeSet<&str> = config.lines().collect();
    let mut lost = Vec::new();
    for line in fragment.lines().map(str::trim_end) {
        let off = line
            .strip_prefix("# ")
            .and_then(|rest| rest.strip_suffix(" is not set"))
            .or_else(|| line.strip_suffix("=n"))
            .filter(|name| name.starts_with("CONFIG_"));
        let stuck = match off {
            // A symbol that is off may also be missing altogether.
            Some(name) => !["y", "m"].iter().any(|value| lines.contains(format!("{name}={value}").as_str())),
            None => !line.starts_with("CONFIG_") || lines.contains(line),
        };
        if !stuck {
            lost.push(line);
        }
    }
    ensure!(lost.is_empty(), "the kernel's configuration did not take: {}", lost.join(", "));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_kconfig_dropped_is_named() {
        let config = "CONFIG_A=y\n# CONFIG_B is not set\nCONFIG_C=\"x\"\nCONFIG_D=y\n";
        assert!(verify("# a comment\nCONFIG_A=y\n# CONFIG_B is not set\n", config).is_ok());
        assert!(verify("CONFIG_MISSING=n\nCONFIG_C=\"x\"\n", config).is_ok());
        let text = verify("CONFIG_E=y\n# CONFIG_D is not set\nCONFIG_A=y\n", config).unwrap_err().to_string();
        assert!(text.ends_with("did not take: CONFIG_E=y, # CONFIG_D is not set"));
    }

    #[test]
    fn a_fragment_over_another_replaces_its_lines() {
        let text =
            lay_over("# A comment\n# CONFIG_A is not set\nCONFIG_B=y\nCONFIG_AB=y\n", "CONFIG_A=m\nCONFIG_B=m\n");
        assert_eq!(text, "# A comment\nCONFIG_AB=y\nCONFIG_A=m\nCONFIG_B=m\n");
    }

    #[test]
    fn takes_the_newest_source_by_number() {
        let directory = std::env::temp_dir().join(format!("rbox-source-{}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
        for name in ["linux-source-6.1.tar.xz", "linux-source-6.12.tar.xz", "x"] {
            fs::write(directory.join(name), "").unwrap();
        }
        let found = newest_source(&directory).unwrap();
        fs::remove_dir_all(&directory).unwrap();
        assert!(found.ends_with("linux-source-6.12.tar.xz"));
    }
}
