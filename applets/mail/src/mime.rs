//! The format of messages: fields and parameters (RFC 5322, 2045), encodings of bodies (RFC 2045) and words (RFC 2047).

use rbox_core::bytes::{find, find_byte, split_once};
use rbox_core::codec::base::{Base, Decoder};
use rbox_core::escape::percent_decoded;
use rbox_core::number::parse_radix;

/// What a part says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields {
    pub kind: Vec<u8>,
    pub charset: Vec<u8>,
    pub encoding: Vec<u8>,
    pub name: Vec<u8>,
    pub boundary: Option<Vec<u8>>,
}

impl Fields {
    /// Reads a head, of which lines that begin with a blank go on with the one before.
    pub fn parse(head: &[u8]) -> Self {
        let mut fields = Self {
            kind: b"text/plain".to_vec(),
            charset: b"us-ascii".to_vec(),
            encoding: b"7bit".to_vec(),
            ..Self::default()
        };
        for field in unfolded(head) {
            let Some((name, value)) = split_once(&field, b':') else { continue };
            let (word, parameters) = split_once(value, b';').unwrap_or((value, b""));
            let word = word.trim_ascii().to_ascii_lowercase();
            match &name.trim_ascii().to_ascii_lowercase()[..] {
                b"content-type" => {
                    fields.kind = word;
                    let all = parse_parameters(parameters);
                    if let Some(value) = name_of(&all, b"name").filter(|_| fields.name.is_empty()) {
                        fields.name = value;
                    }
                    for (name, value) in all {
                        match &name[..] {
                            b"charset" => fields.charset = value,
                            b"boundary" if !value.is_empty() => fields.boundary = Some(value),
                            _ => {}
                        }
                    }
                }
                b"content-disposition" => {
                    if let Some(value) = name_of(&parse_parameters(parameters), b"filename") {
                        fields.name = value;
                    }
                }
                b"content-transfer-encoding" => fields.encoding = word,
                _ => {}
            }
        }
        if !fields.kind.starts_with(b"multipart/") {
            fields.boundary = None;
        }
        fields
    }
}

/// The fields of a head, each in one line.
pub fn unfolded(head: &[u8]) -> Vec<Vec<u8>> {
    let mut fields: Vec<Vec<u8>> = Vec::new();
    for line in head.split(|&byte| byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        match fields.last_mut() {
            Some(field) if line.starts_with(b" ") || line.starts_with(b"\t") => field.extend_from_slice(line),
            _ if line.is_empty() => {}
            _ => fields.push(line.to_vec()),
        }
    }
    fields
}

/// `; name=value; name="va\"lue"`, names in lower case.
fn parse_parameters(mut rest: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut all = Vec::new();
    while let Some(at) = find_byte(b'=', rest) {
        // What has no value is none.
        let name = rest[..at].rsplit(|&byte| byte == b';').next().unwrap_or_default().trim_ascii().to_ascii_lowercase();
        rest = rest[at + 1..].trim_ascii_start();
        let mut value = Vec::new();
        if let Some(quoted) = rest.strip_prefix(b"\"") {
            let mut at = 0;
            while at < quoted.len() && quoted[at] != b'"' {
                at += usize::from(quoted[at] == b'\\' && at + 1 < quoted.len());
                value.push(quoted[at]);
                at += 1;
            }
            rest = &quoted[at.min(quoted.len())..];
        } else {
            let end = find_byte(b';', rest).unwrap_or(rest.len());
            value.extend_from_slice(rest[..end].trim_ascii());
        }
        rest = find_byte(b';', rest).map_or(&b""[..], |end| &rest[end + 1..]);
        all.push((name, value));
    }
    all
}

/// The value of a parameter that is a name: by RFC 2047, or by RFC 2231: `KEY*=charset'language'a%20b`, and in parts
/// `KEY*0*=charset''a%20; KEY*1="b"`, which are taken in the order in which they are. The charset stays unknown.
fn name_of(all: &[(Vec<u8>, Vec<u8>)], key: &[u8]) -> Option<Vec<u8>> {
    let (mut plain, mut extended) = (None, None::<Vec<u8>>);
    for (name, value) in all {
        match name.strip_prefix(key) {
            Some(b"") => plain = Some(decode_words(value)),
            Some([b'*', .., last]) if *last != b'*' => extended.get_or_insert_default().extend_from_slice(value),
            Some([b'*', ..]) => {
                let encoded = match &extended {
                    Some(_) => value,
                    None => value.splitn(3, |&byte| byte == b'\'').last().unwrap_or_default(),
                };
                extended.get_or_insert_default().extend(percent_decoded(encoded));
            }
            _ => {}
        }
    }
    extended.or(plain)
}

/// RFC 2047: `=?charset?Q?text?=` and `=?charset?B?text?=` as the bytes that they mean. The charset stays unknown.
pub fn decode_words(text: &[u8]) -> Vec<u8> {
    let (mut out, mut rest) = (Vec::new(), text);
    while let Some(start) = find(rest, b"=?") {
        out.extend_from_slice(&rest[..start]);
        let word = &rest[start + 2..];
        let mut fields = word.splitn(3, |&byte| byte == b'?');
        let (Some(_), Some(kind), Some(after)) = (fields.next(), fields.next(), fields.next()) else {
            rest = &rest[start..];
            break;
        };
        let Some(end) = find(after, b"?=") else {
            rest = &rest[start..];
            break;
        };
        match kind {
            b"B" | b"b" => {
                // What is wrong ends the word.
                let _ = Decoder::new(Base::Base64, true).decode(&after[..end], &mut out);
            }
            _ => {
                let blanks: Vec<u8> = after[..end].iter().map(|&byte| if byte == b'_' { b' ' } else { byte }).collect();
                decode_quoted(&blanks, &mut out);
            }
        }
        rest = &after[end + 2..];
        // Blanks between two words are none of the text.
        if rest.trim_ascii_start().starts_with(b"=?") {
            rest = rest.trim_ascii_start();
        }
    }
    out.extend_from_slice(rest);
    out
}

/// RFC 2045 6.7: `=XX` is a byte; a line without its end, which is added by the caller. True when the line goes on.
pub fn decode_quoted(line: &[u8], out: &mut Vec<u8>) -> bool {
    let line = line.trim_ascii_end();
    let mut at = 0;
    while at < line.len() {
        if line[at] == b'=' {
            if at + 1 == line.len() {
                return true;
            }
            if let Some(byte) = line.get(at + 1..at + 3).and_then(|digits| parse_radix(digits, 16)) {
                out.push(byte as u8);
                at += 3;
                continue;
            }
        }
        out.push(line[at]);
        at += 1;
    }
    false
}

/// What the fuzz target feeds.
#[cfg(fuzzing)]
pub fn fuzz(data: &[u8]) {
    Fields::parse(data);
    assert!(decode_words(data).len() <= data.len());
    decode_quoted(data, &mut Vec::new());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_have_parameters() {
        let fields =
            Fields::parse(b"Content-Type: Multipart/Mixed;\r\n\tboundary=\"a b\\\"c\"; charset=UTF-8\r\nX: y\r\n");
        assert_eq!(
            (&fields.kind[..], fields.boundary.as_deref(), &fields.charset[..]),
            (&b"multipart/mixed"[..], Some(&b"a b\"c"[..]), &b"UTF-8"[..])
        );
        let fields = Fields::parse(
            b"content-disposition: attachment; filename==?utf-8?Q?a=C3=A9_b?=\nContent-Transfer-Encoding: BASE64",
        );
        assert_eq!((&fields.name[..], &fields.encoding[..]), ("a\u{e9} b".as_bytes(), &b"base64"[..]));
        assert_eq!(Fields::parse(b"Content-Type: text/plain; boundary=x; name=n").boundary, None);
        for (value, name) in [
            (&b"filename*=utf-8'en'a%20b%C3%A9'; filename=plain"[..], &b"a b\xc3\xa9'"[..]),
            (b"filename*0*=''a%2f; filename*1=\"%20b\"; filename*2*=c%20''d", b"a/%20bc ''d"),
            (b"filename*=a%20b; filenames=x", b"a b"),
        ] {
            assert_eq!(Fields::parse(&[b"Content-Disposition: attachment; ", value].concat()).name, name);
        }
        assert_eq!(Fields::parse(b"Content-Type: x; flowed ; name=n").name, b"n");
        Fields::parse(b"Content-Type: x; a=\"\\");
    }

    #[test]
    fn words_are_decoded() {
        assert_eq!(decode_words(b"a =?x?B?YmM=?= =?x?q?d?= e"), b"a bcd e");
        for same in [&b"=?x?B?"[..], b"=?", b"=?a?b", b"plain"] {
            assert_eq!(decode_words(same), same);
        }
    }

    #[test]
    fn quoted_lines_may_go_on() {
        let mut out = Vec::new();
        assert!(!decode_quoted(b"a=3Db=zz=4", &mut out) && decode_quoted(b"c=", &mut out));
        assert_eq!(out, b"a=b=zz=4c");
    }
}
