//! Drives a system in QEMU: its serial console through pipes, its monitor through QMP.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// A running machine; it ends when this goes out of scope.
pub struct Machine {
    child: Child,
    keyboard: ChildStdin,
    screen: Receiver<Vec<u8>>,
    /// The output of the console so far.
    text: Vec<u8>,
    /// The offset at which the next search begins.
    seen: usize,
    begun: Instant,
    monitor: PathBuf,
    /// How long one wait may last, in seconds.
    pub patience: u64,
}

impl Machine {
    /// Starts QEMU. `command` is its command line without serial line and display.
    pub fn start(mut command: Command, patience: u64, directory: &Path) -> Result<Self> {
        let monitor = directory.join(format!("qmp-{}", command_number()));
        let mut socket = std::ffi::OsString::from("unix:");
        socket.push(&monitor);
        socket.push(",server=on,wait=off");
        let mut child = command
            .args(["-display", "none", "-serial", "stdio", "-qmp"])
            .arg(socket)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("qemu-system-x86_64")?;
        let keyboard = child.stdin.take().context("no pipe to QEMU")?;
        let mut output = child.stdout.take().context("no pipe from QEMU")?;
        let (send, screen) = channel();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            // The end of the pipe, a failed read and a closed channel all end the thread.
            while let Ok(count @ 1..) = output.read(&mut buffer) {
                if send.send(buffer[..count].to_vec()).is_err() {
                    break;
                }
            }
        });
        Ok(Self { child, keyboard, screen, text: Vec::new(), seen: 0, begun: Instant::now(), monitor, patience })
    }

    /// Seconds since QEMU started.
    pub fn seconds(&self) -> f64 {
        self.begun.elapsed().as_secs_f64()
    }

    /// Everything that the console printed so far.
    pub fn transcript(&self) -> &[u8] {
        &self.text
    }

    /// Waits until the console prints `wanted` and returns the output before it. Fails after `patience` seconds, or when QEMU ends.
    pub fn expect(&mut self, wanted: &str) -> Result<String> {
        self.expect_until(wanted, Instant::now() + Duration::from_secs(self.patience))
    }

    /// The same, with its own end.
    pub fn expect_until(&mut self, wanted: &str, deadline: Instant) -> Result<String> {
        loop {
            let fresh = &self.text[self.seen..];
            if let Some(at) = find(fresh, wanted.as_bytes()) {
                let before = String::from_utf8_lossy(&fresh[..at]).into_owned();
                self.seen += at + wanted.len();
                return Ok(before);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            match self.screen.recv_timeout(left) {
                Ok(bytes) => self.text.extend(bytes),
                Err(reason) => {
                    let end = self.text.len().saturating_sub(1500);
                    bail!(
                        "{} while waiting for `{wanted}`; the console's end:\n{}",
                        match reason {
                            RecvTimeoutError::Timeout => "time is up",
                            RecvTimeoutError::Disconnected => "QEMU ended",
                        },
                        String::from_utf8_lossy(&self.text[end..])
                    );
                }
            }
        }
    }

    /// Types on the serial line.
    pub fn send(&mut self, text: &str) -> Result<()> {
        self.keyboard.write_all(text.as_bytes()).and_then(|()| self.keyboard.flush()).context("QEMU's serial line")
    }

    /// Logs in as root, who has no password, and prepares the shell for `command`.
    pub fn login(&mut self) -> Result<()> {
        self.expect("login: ")?;
        self.send("root\n")?;
        self.expect("# ")?;
        self.prepare_shell()
    }

    /// Prepares a shell for `command`: a short prompt, and no kernel messages on the console.
    pub fn prepare_shell(&mut self) -> Result<()> {
        // The quotes keep the echo of what is typed from looking like the answer.
        self.send("PS1='> '; dmesg -n 1; echo rea''dy\n")?;
        self.expect("ready\r\n")?;
        Ok(())
    }

    /// Runs a command in the shell; returns its output and its status.
    pub fn command(&mut self, command: &str) -> Result<(String, i32)> {
        self.send(&format!("echo @b''egin; {command}; echo @e''nd $?.\n"))?;
        self.expect("@begin\r\n")?;
        let output = self.expect("@end ")?;
        let status = self.expect(".")?;
        let status = status.parse().with_context(|| format!("status {status}"))?;
        Ok((output.replace("\r\n", "\n"), status))
    }

    /// Runs a command that must succeed; returns its output.
    pub fn output_of(&mut self, command: &str) -> Result<String> {
        match self.command(command)? {
            (output, 0) => Ok(output),
            (output, status) => bail!("`{command}` ended with {status}:\n{output}"),
        }
    }

    /// Repeats a command until it succeeds.
    pub fn wait_for(&mut self, command: &str) -> Result<()> {
        let deadline = Instant::now() + Duration::from_secs(self.patience);
        loop {
            let (output, status) = self.command(command)?;
            if status == 0 {
                return Ok(());
            }
            if Instant::now() > deadline {
                bail!("`{command}` did not come true:\n{output}");
            }
            std::thread::sleep(Duration::from_millis(500));
        }
    }

    /// Sends monitor commands by QMP (QEMU's docs/interop/qmp-spec); waits for each answer.
    pub fn monitor(&mut self, commands: &[String]) -> Result<()> {
        let stream = UnixStream::connect(&self.monitor).context("QEMU's monitor")?;
        stream.set_read_timeout(Some(Duration::from_secs(self.patience)))?;
        let mut answers = BufReader::new(stream.try_clone()?).lines();
        let mut stream = stream;
        answers.next().context("QEMU's monitor is silent")??;
        let greeting = r#"{"execute":"qmp_capabilities"}"#.to_owned();
        for command in std::iter::once(&greeting).chain(commands) {
            writeln!(stream, "{command}")?;
            loop {
                let line = answers.next().context("QEMU's monitor is silent")??;
                if line.contains("\"error\"") {
                    bail!("{command}: {line}");
                }
                // Events come in between.
                if line.contains("\"return\"") {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Presses and releases keys, each a name of QEMU's `sendkey`, such as `shift-a`.
    pub fn press(&mut self, keys: &[&str]) -> Result<()> {
        let commands: Vec<String> = keys
            .iter()
            .map(|key| {
                format!(r#"{{"execute":"human-monitor-command","arguments":{{"command-line":"sendkey {key}"}}}}"#)
            })
            .collect();
        for command in commands {
            self.monitor(&[command])?;
            // sendkey holds a key for 100 ms; the next one must not overlap it.
            std::thread::sleep(Duration::from_millis(200));
        }
        Ok(())
    }

    /// Waits until QEMU has ended.
    pub fn wait_exit(&mut self) -> Result<ExitStatus> {
        let deadline = Instant::now() + Duration::from_secs(self.patience);
        loop {
            while let Ok(bytes) = self.screen.try_recv() {
                self.text.extend(bytes);
            }
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            if Instant::now() > deadline {
                let end = self.text.len().saturating_sub(1500);
                bail!("QEMU did not end; the console's end:\n{}", String::from_utf8_lossy(&self.text[end..]));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // QEMU may have ended by itself.
        let _ = self.child.kill();
        // Only `ECHILD` is possible, after `try_wait` has returned the status.
        let _ = self.child.wait();
        // QEMU removes its socket when it ends by itself.
        let _ = std::fs::remove_file(&self.monitor);
    }
}

/// A number for each machine of this process.
fn command_number() -> usize {
    use std::sync::atomic::{AtomicUsize, Ordering};
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|part| part == wanted)
}
