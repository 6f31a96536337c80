//! Arbitrary bytes through the whole codec. The first byte says how the stream is cut: the pieces
//! must not depend on it, memory stays bounded, numbers are finite, nothing panics.
#![no_main]

use hj212::codec::{Key, Piece, Splitter, decode};
use libfuzzer_sys::fuzz_target;

const LIMIT: usize = 512;

fn pieces(stream: &[u8], packet: usize) -> Vec<String> {
    let mut splitter = Splitter::new(LIMIT);
    let mut found = vec![];
    for part in stream.chunks(packet) {
        splitter.feed(part);
        while let Some(piece) = splitter.next_piece() {
            found.push(format!("{piece:?}"));
            if let Piece::Frame(envelope) = piece {
                let (mut plain, mut numbers) = (vec![], vec![]);
                if let Ok(frame) = decode(envelope, |_| Some(Key([0x30; 16])), &mut plain) {
                    frame.measurements(&mut numbers);
                    assert!(numbers.iter().all(|m| m.value.is_finite()));
                }
            }
        }
        splitter.rest();
        assert!(splitter.pending() <= LIMIT + 16);
    }
    found.extend(splitter.finish().map(|piece| format!("{piece:?}")));
    found
}

fuzz_target!(|input: &[u8]| {
    let Some((packet, stream)) = input.split_first() else {
        return;
    };
    let whole = pieces(stream, stream.len().max(1));
    assert_eq!(pieces(stream, usize::from(*packet).max(1)), whole);
});
