//! Server-Sent Events as they are read: lines, fields, messages
//! (<https://html.spec.whatwg.org/multipage/server-sent-events.html>).

use std::collections::VecDeque;

/// Bytes of one message. What a server of ours sends of one event is far below.
const MESSAGE_BYTES_MAX: usize = 32 * 1024 * 1024;

/// A message, or a mere place where its `data` is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Raw {
    pub(super) kind: String,
    /// The `id` in force, its own or that of a message before.
    pub(super) id: String,
    pub(super) data: String,
}

/// A message is longer than any of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooLong;

/// Makes messages of pieces of a body, wherever they are cut.
#[derive(Default)]
pub(super) struct Parser {
    line: Vec<u8>,
    /// The last line ended with CR: an LF right behind it belongs to it.
    after_cr: bool,
    begun: bool,
    next: Raw,
    is_place: bool,
    data_lines: usize,
    ready: VecDeque<Raw>,
}

impl Parser {
    /// The next whole message.
    pub(super) fn next(&mut self) -> Option<Raw> {
        self.ready.pop_front()
    }

    /// Takes a piece.
    pub(super) fn push(&mut self, mut piece: &[u8]) -> Result<(), TooLong> {
        while !piece.is_empty() {
            if std::mem::take(&mut self.after_cr) && piece.first() == Some(&b'\n') {
                piece = piece.get(1..).unwrap_or_default();
                continue;
            }
            let end = piece.iter().position(|it| matches!(it, b'\n' | b'\r'));
            let (part, rest) = piece.split_at(end.unwrap_or(piece.len()));
            self.line.extend_from_slice(part);
            if self.line.len() + self.next.data.len() > MESSAGE_BYTES_MAX {
                return Err(TooLong);
            }
            if let Some((end, rest)) = rest.split_first() {
                self.after_cr = *end == b'\r';
                self.end_of_line();
                piece = rest;
            } else {
                piece = rest;
            }
        }
        Ok(())
    }

    fn end_of_line(&mut self) {
        let line = String::from_utf8_lossy(&std::mem::take(&mut self.line)).into_owned();
        let begun = std::mem::replace(&mut self.begun, true);
        let line = if begun { &line[..] } else { line.trim_start_matches('\u{feff}') };
        if line.is_empty() {
            return self.end_of_message();
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.next.kind),
            "id" if !value.contains('\0') => {
                value.clone_into(&mut self.next.id);
                self.is_place = true;
            }
            "data" => {
                if self.data_lines > 0 {
                    self.next.data.push('\n');
                }
                self.next.data.push_str(value);
                self.data_lines += 1;
            }
            // A comment, how soon to connect again, or what a later server says.
            _ => {}
        }
    }

    fn end_of_message(&mut self) {
        let id = self.next.id.clone();
        let message = std::mem::replace(&mut self.next, Raw { id, ..Raw::default() });
        let is_place = std::mem::take(&mut self.is_place);
        if std::mem::take(&mut self.data_lines) > 0 || is_place {
            self.ready.push_back(message);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pieces: &[&[u8]]) -> Vec<(String, String, String)> {
        let mut parser = Parser::default();
        pieces.iter().for_each(|piece| parser.push(piece).unwrap());
        std::iter::from_fn(|| parser.next()).map(|it| (it.kind, it.id, it.data)).collect()
    }

    fn message(kind: &str, id: &str, data: &str) -> (String, String, String) {
        (kind.into(), id.into(), data.into())
    }

    #[test]
    fn messages_are_read_however_they_are_cut() {
        let text = b"\xef\xbb\xbfretry: 1000\nid: 7\n\n: still here\n\nevent: a\r\nid: 8\r\ndata: {\"n\":1}\r\n\r\n\
            data:x\rdata: y\r\revent: c\n\ndata\n\ndata: cut";
        let whole = [
            message("", "7", ""),
            message("a", "8", "{\"n\":1}"),
            message("", "8", "x\ny"),
            message("", "8", ""),
        ];
        assert_eq!(read(&[text]), whole);
        let bytes: Vec<&[u8]> = text.chunks(1).collect();
        assert_eq!(read(&bytes), whole);
    }

    #[test]
    fn a_message_without_end_is_refused() {
        let mut parser = Parser::default();
        let piece = vec![b'x'; 1024 * 1024];
        assert!((0..40).any(|_| parser.push(&piece) == Err(TooLong)));
        let mut parser = Parser::default();
        let line = [b"data: ", &piece[..], b"\n"].concat();
        assert!((0..40).any(|_| parser.push(&line) == Err(TooLong)));
    }
}
