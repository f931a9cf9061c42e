//! Files that are exchanged (renameat2(2)) while an applet works on them: whatever it meets, nothing leaks.
//!
//! The verdict does not depend on who wins: each result must be one of those that are right. Each test stops after so many runs.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use rbox_core::sys::fs::{CWD, RenameFlags, renameat_with};

const RBOX: &str = env!("CARGO_BIN_EXE_rbox");

fn scratch(name: &str) -> PathBuf {
    let directory = std::env::temp_dir().join(format!("rbox-race-{name}.{}", std::process::id()));
    fs::create_dir(&directory).expect("a fresh directory");
    directory
}

/// Exchanges two names again and again, up to 2,000 times a run, while `run` is called.
fn exchanging(a: &Path, b: &Path, runs: usize, mut run: impl FnMut()) {
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..runs * 2000 {
                if done.load(Ordering::Relaxed) {
                    break;
                }
                renameat_with(CWD, a, CWD, b, RenameFlags::EXCHANGE).expect("both are there");
            }
        });
        for _ in 0..runs {
            run();
        }
        done.store(true, Ordering::Relaxed);
    });
}

fn cp(directory: &Path, words: &[&str]) {
    let mut command = Command::new(RBOX);
    // A file that was replaced is an error, and no matter here.
    command.arg("cp").args(words).current_dir(directory).stderr(Stdio::null()).status().expect("cp starts");
}

#[test]
fn a_copy_has_the_mode_and_the_length_of_what_it_holds() {
    let directory = scratch("mode");
    let (public, private) = (directory.join("w/public"), directory.join("w/private"));
    fs::create_dir(directory.join("w")).expect("a fresh directory");
    for (path, byte, length, mode) in [(&public, b'p', 10_000, 0o644), (&private, b's', 200_000, 0o600)] {
        fs::write(path, vec![byte; length]).expect("a file");
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("it is ours");
    }
    exchanging(&public, &private, 60, || {
        cp(&directory, &["-a", "w", "o"]);
        for entry in fs::read_dir(directory.join("o")).expect("a copy") {
            let path = entry.expect("an entry").path();
            let content = fs::read(&path).expect("a readable copy");
            let mode = fs::metadata(&path).expect("its attributes").permissions().mode() & 0o777;
            let is_right = match content.first() {
                Some(b's') => (mode, content.len()) == (0o600, 200_000),
                Some(_) => (mode, content.len()) == (0o644, 10_000),
                None => true,
            };
            assert!(is_right, "{}: mode {mode:o}, {} bytes", path.display(), content.len());
        }
        fs::remove_dir_all(directory.join("o")).expect("it goes");
    });
    fs::remove_dir_all(directory).expect("it goes");
}

#[test]
fn nothing_is_written_through_a_link_that_takes_a_directorys_name() {
    let directory = scratch("link");
    for name in ["s/x", "o/x", "victim"] {
        fs::create_dir_all(directory.join(name)).expect("a fresh directory");
    }
    fs::write(directory.join("s/x/f"), "content").expect("a file");
    symlink("../victim", directory.join("o/link")).expect("a link");
    exchanging(&directory.join("o/x"), &directory.join("o/link"), 100, || {
        cp(&directory, &["-r", "s/.", "o"]);
        assert_eq!(fs::read_dir(directory.join("victim")).expect("it is there").count(), 0);
    });
    fs::remove_dir_all(directory).expect("it goes");
}

#[test]
fn a_mode_does_not_pass_a_link_that_takes_the_new_directorys_name() {
    let directory = scratch("mkdir");
    let victim = directory.join("victim");
    fs::create_dir(&victim).expect("a fresh directory");
    fs::set_permissions(&victim, fs::Permissions::from_mode(0o700)).expect("it is ours");
    fs::create_dir(directory.join("a")).expect("a fresh directory");
    fs::create_dir(directory.join("b")).expect("a fresh directory");
    symlink("../victim", directory.join("b/new")).expect("a link");
    exchanging(&directory.join("a"), &directory.join("b"), 100, || {
        let status = Command::new(RBOX)
            .args(["mkdir", "-m", "777", "a/new"])
            .current_dir(&directory)
            .stderr(Stdio::null())
            .status()
            .expect("mkdir starts");
        if status.success() {
            for name in ["a/new", "b/new"] {
                // The other one is the link.
                let _ = fs::remove_dir(directory.join(name));
            }
        }
        assert_eq!(fs::metadata(&victim).expect("it is there").permissions().mode() & 0o777, 0o700);
    });
    fs::remove_dir_all(directory).expect("it goes");
}

/// An archive of files in a directory `x`, made by an applet.
fn packed(directory: &Path, script: &str) {
    fs::create_dir_all(directory.join("s/x/deep")).expect("a fresh directory");
    for name in ["s/x/f", "s/x/g", "s/x/deep/h"] {
        fs::write(directory.join(name), "content").expect("a file");
    }
    let status =
        Command::new("sh").args(["-c", script, "sh", RBOX]).current_dir(directory).status().expect("sh starts");
    assert!(status.success());
}

/// Unpacks an archive again and again while the directory in the target is exchanged with a link that leads out.
fn unpacking(name: &str, pack: &str, unpack: &str) {
    let directory = scratch(name);
    for name in ["o/x", "victim"] {
        fs::create_dir_all(directory.join(name)).expect("a fresh directory");
    }
    packed(&directory, pack);
    symlink("../victim", directory.join("o/link")).expect("a link");
    exchanging(&directory.join("o/x"), &directory.join("o/link"), 100, || {
        let mut command = Command::new("sh");
        // What could not be made is an error, and no matter here.
        command.args(["-c", unpack, "sh", RBOX]).current_dir(&directory).stderr(Stdio::null());
        command.status().expect("sh starts");
        assert_eq!(fs::read_dir(directory.join("victim")).expect("it is there").count(), 0);
        for path in ["o/x", "o/link"].map(|name| directory.join(name)) {
            if fs::symlink_metadata(&path).is_ok_and(|stat| stat.is_dir()) {
                // The other one is the link, or was a moment ago.
                let _ = fs::remove_file(path.join("f"));
            }
        }
        let mode = fs::metadata(directory.join("victim")).expect("it is there").permissions().mode() & 0o777;
        assert_ne!(mode, 0o701);
    });
    fs::remove_dir_all(directory).expect("it goes");
}

#[test]
fn tar_extracts_nothing_through_a_link_that_takes_a_directorys_name() {
    // Without -k a link that is met makes way for a directory; with --overwrite files are opened and not made.
    let pack = "chmod 701 s/x && \"$1\" tar cf a.tar -C s x/f x/g x/deep";
    unpacking("tar", pack, "\"$1\" tar xf a.tar -C o; \"$1\" tar xf a.tar --overwrite -C o");
}

#[test]
fn cpio_extracts_nothing_through_a_link_that_takes_a_directorys_name() {
    let pack = "chmod 701 s/x; cd s; printf 'x/f\\nx/g\\nx/deep\\nx/deep/h\\n' | \"$1\" cpio -o --quiet > ../a.cpio";
    unpacking("cpio", pack, "cd o; \"$1\" cpio -idum --quiet < ../a.cpio");
}

#[test]
fn unzip_extracts_nothing_through_a_link_that_takes_a_directorys_name() {
    let pack = "chmod 701 s/x; cd s; python3 -m zipfile -c ../a.zip x/";
    unpacking("unzip", pack, "\"$1\" unzip -oq a.zip -d o; \"$1\" unzip -oqK a.zip -d o");
}

#[test]
fn install_makes_no_directory_through_a_link_that_takes_its_name() {
    let directory = scratch("install-d");
    for name in ["o/x", "victim"] {
        fs::create_dir_all(directory.join(name)).expect("a fresh directory");
    }
    fs::write(directory.join("f"), "content").expect("a file");
    symlink("../victim", directory.join("o/link")).expect("a link");
    exchanging(&directory.join("o/x"), &directory.join("o/link"), 100, || {
        let mut command = Command::new("sh");
        let script = "\"$1\" install -m 701 -D f o/x/deep/f; \"$1\" install -d -m 701 o/x/deep/other";
        command.args(["-c", script, "sh", RBOX]).current_dir(&directory).stderr(Stdio::null());
        command.status().expect("sh starts");
        let mode = fs::metadata(directory.join("victim")).expect("it is there").permissions().mode() & 0o777;
        assert_ne!(mode, 0o701);
        for path in ["o/x", "o/link"].map(|name| directory.join(name)) {
            // What follows the link that the name was is what the caller asked for: a link on the way is followed.
            let _ = fs::remove_dir_all(path.join("deep"));
        }
    });
    fs::remove_dir_all(directory).expect("it goes");
}

#[test]
fn install_writes_nothing_through_a_link_that_takes_the_files_name() {
    let directory = scratch("install");
    fs::create_dir(directory.join("o")).expect("a fresh directory");
    for (name, content, mode) in [("s", "secret", 0o644), ("victim", "own", 0o640), ("o/f", "old", 0o600)] {
        let path = directory.join(name);
        fs::write(&path, content).expect("a file");
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("it is ours");
    }
    symlink("../victim", directory.join("o/link")).expect("a link");
    exchanging(&directory.join("o/f"), &directory.join("o/link"), 100, || {
        let mut command = Command::new(RBOX);
        let status = command.args(["install", "-m", "600", "s", "o/f"]).current_dir(&directory).status();
        assert!(status.expect("install starts").success());
        let victim = directory.join("victim");
        let mode = fs::metadata(&victim).expect("it is there").permissions().mode() & 0o777;
        assert_eq!((fs::read_to_string(&victim).expect("it is readable"), mode), ("own".to_string(), 0o640));
        // Where the file has the link's name, the link has taken the file's.
        for path in ["o/f", "o/link"].map(|name| directory.join(name)) {
            let stat = fs::symlink_metadata(&path).expect("both are there");
            assert!(stat.is_symlink() || stat.permissions().mode() & 0o777 == 0o600);
        }
        if !fs::symlink_metadata(directory.join("o/link")).is_ok_and(|stat| stat.is_symlink())
            && !fs::symlink_metadata(directory.join("o/f")).is_ok_and(|stat| stat.is_symlink())
        {
            // The new file took the link's place.
            symlink("../victim", directory.join("o/spare")).expect("a link");
            fs::rename(directory.join("o/spare"), directory.join("o/link")).expect("both are there");
        }
    });
    fs::remove_dir_all(directory).expect("it goes");
}
