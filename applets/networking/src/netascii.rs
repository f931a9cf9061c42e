//! Text as it is on the wire, where lines end with CR LF: RFC 959 3.1.1.1 for FTP, RFC 1350 1 and RFC 764 for TFTP.

/// A conversion, which goes on from one block to the next.
#[derive(Default)]
pub struct Netascii {
    /// TFTP: a CR within a line is CR NUL.
    escapes_cr: bool,
    after_cr: bool,
}

impl Netascii {
    pub fn new(escapes_cr: bool) -> Self {
        Self { escapes_cr, after_cr: false }
    }

    /// Appends local text as it is sent. Without the escape a line that ends with CR LF stays, as vsftpd leaves it.
    pub fn encode(&mut self, content: &[u8], out: &mut Vec<u8>) {
        for &byte in content {
            match byte {
                b'\r' if self.escapes_cr => out.extend_from_slice(b"\r\0"),
                b'\n' if !self.after_cr => out.extend_from_slice(b"\r\n"),
                _ => out.push(byte),
            }
            self.after_cr = byte == b'\r' && !self.escapes_cr;
        }
    }

    /// Appends what came as local text. A CR at the end waits for what follows it.
    pub fn decode(&mut self, content: &[u8], out: &mut Vec<u8>) {
        for &byte in content {
            match byte {
                b'\n' => out.push(b'\n'),
                0 if self.after_cr && self.escapes_cr => out.push(b'\r'),
                _ => {
                    self.end(out);
                    if byte != b'\r' {
                        out.push(byte);
                    }
                }
            }
            self.after_cr = byte == b'\r';
        }
    }

    /// Appends the CR that nothing followed.
    pub fn end(&mut self, out: &mut Vec<u8>) {
        if core::mem::take(&mut self.after_cr) {
            out.push(b'\r');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(escapes_cr: bool, blocks: &[&[u8]]) -> Vec<u8> {
        let (mut text, mut out) = (Netascii::new(escapes_cr), Vec::new());
        blocks.iter().for_each(|block| text.encode(block, &mut out));
        out
    }

    fn decoded(escapes_cr: bool, blocks: &[&[u8]]) -> Vec<u8> {
        let (mut text, mut out) = (Netascii::new(escapes_cr), Vec::new());
        blocks.iter().for_each(|block| text.decode(block, &mut out));
        text.end(&mut out);
        out
    }

    #[test]
    fn tftp_escapes_carriage_returns() {
        assert_eq!(encoded(true, &[b"a\nb\rc\r", b"\n"]), b"a\r\nb\r\0c\r\0\r\n");
        assert_eq!(decoded(true, &[b"a\r", b"\nb\r", b"\0c\r\0\r\nd\r"]), b"a\nb\rc\r\nd\r");
    }

    #[test]
    fn ftp_changes_ends_of_lines_alone() {
        assert_eq!(encoded(false, &[b"a\nb\r", b"\nc\rd\r"]), b"a\r\nb\r\nc\rd\r");
        assert_eq!(decoded(false, &[b"a\r", b"\nb\r\r\nc\rd\0", b"\r"]), b"a\nb\r\nc\rd\0\r");
    }
}
