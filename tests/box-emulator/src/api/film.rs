//! Films: what a player must know of an MP4 to fetch it piece by piece, read from the file's own boxes.
//!
//! A film that is one track in fragments, with their index in front, can be offered as DASH without a byte of it being
//! changed. Any other MP4 is offered whole. ISO/IEC 14496-12 (boxes) and 23009-1 (the manifest).

use std::fmt::Write as _;
use std::ops::Range;

/// The two things that a representation `dash` consists of. How Box names its pieces is not known.
pub(crate) const MANIFEST: &str = "manifest.mpd";
pub(crate) const PIECES: &str = "film.mp4";

/// A film in pieces.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Film {
    codecs: String,
    width: u64,
    height: u64,
    /// What comes before the first piece.
    start: Range<usize>,
    /// Ticks in a second.
    timescale: u64,
    pieces: Vec<Piece>,
}

#[derive(Debug, PartialEq, Eq)]
struct Piece {
    bytes: Range<usize>,
    /// How long it plays, in ticks.
    ticks: u64,
}

impl Film {
    /// `None`: these bytes cannot be played in pieces.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let moov = find(bytes, 0..bytes.len(), b"moov")?;
        let sidx = find(bytes, 0..bytes.len(), b"sidx")?;
        let mut tracks = children(bytes, moov.clone()).filter(|found| found.kind == b"trak");
        let (track, None) = (tracks.next()?, tracks.next()) else { return None };
        let path: [&[u8; 4]; 4] = [b"mdia", b"minf", b"stbl", b"stsd"];
        let descriptions =
            path.into_iter().try_fold(track.inside, |within, kind| find(bytes, within, kind))?;
        // Version, flags and a count come before the descriptions.
        let entry = children(bytes, after(descriptions, 8)).next()?;
        let (timescale, pieces) = pieces(bytes, sidx)?;
        Some(Self {
            codecs: codecs(bytes, &entry)?,
            width: number(bytes, entry.inside.start.checked_add(24)?, 2)?,
            height: number(bytes, entry.inside.start.checked_add(26)?, 2)?,
            start: 0..moov.end,
            timescale,
            pieces,
        })
    }

    /// A manifest that leads to the pieces, as ranges of [`PIECES`].
    pub(crate) fn manifest(&self) -> String {
        let Self { codecs, width, height, start, timescale, .. } = self;
        let ticks: u64 = self.pieces.iter().map(|piece| piece.ticks).fold(0, u64::saturating_add);
        let milliseconds = ticks.saturating_mul(1000) / timescale;
        let last = self.pieces.last().map_or(0, |piece| piece.bytes.end);
        let bits_per_second =
            u64::try_from(last).unwrap_or(u64::MAX).saturating_mul(8000) / milliseconds.max(1);
        let mut pieces = String::new();
        let mut times = String::new();
        for Piece { bytes, ticks } in &self.pieces {
            _ = write!(times, "<S d=\"{ticks}\"/>");
            _ = write!(pieces, "<SegmentURL mediaRange=\"{}\"/>", inclusive(bytes));
        }
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
             <MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\" profiles=\"urn:mpeg:dash:profile:isoff-main:2011\" \
             type=\"static\" minBufferTime=\"PT2S\" mediaPresentationDuration=\"PT{}.{:03}S\"><Period>\
             <AdaptationSet mimeType=\"video/mp4\" segmentAlignment=\"true\" startWithSAP=\"1\">\
             <Representation id=\"1\" codecs=\"{codecs}\" width=\"{width}\" height=\"{height}\" \
             bandwidth=\"{bits_per_second}\"><BaseURL>{PIECES}</BaseURL><SegmentList timescale=\"{timescale}\">\
             <Initialization range=\"{}\"/><SegmentTimeline>{times}</SegmentTimeline>{pieces}</SegmentList>\
             </Representation></AdaptationSet></Period></MPD>\n",
            milliseconds / 1000,
            milliseconds % 1000,
            inclusive(start),
        )
    }
}

fn inclusive(range: &Range<usize>) -> String {
    format!("{}-{}", range.start, range.end.saturating_sub(1))
}

/// The box `sidx`: how long each piece is, in bytes and in time. Pieces follow each other, and the box.
fn pieces(bytes: &[u8], sidx: Range<usize>) -> Option<(u64, Vec<Piece>)> {
    let is_long = number(bytes, sidx.start, 1)? > 0;
    let timescale = number(bytes, sidx.start.checked_add(8)?, 4).filter(|ticks| *ticks > 0)?;
    let (gap_at, gap_size, count_at) = if is_long { (20, 8, 30) } else { (16, 4, 22) };
    let gap = number(bytes, sidx.start.checked_add(gap_at)?, gap_size)?;
    let count = usize::try_from(number(bytes, sidx.start.checked_add(count_at)?, 2)?).ok()?;
    let mut at = sidx.end.checked_add(usize::try_from(gap).ok()?)?;
    let list = bytes.get(after(sidx, count_at.checked_add(2)?))?;
    let mut pieces = Vec::new();
    for entry in list.chunks_exact(12).take(count) {
        // The first bit of a size is set where an index of indices is meant.
        let size = number(entry, 0, 4).filter(|size| size >> 31 == 0)?;
        let end = at.checked_add(usize::try_from(size).ok()?).filter(|end| *end <= bytes.len())?;
        pieces.push(Piece { bytes: at..end, ticks: number(entry, 4, 4)? });
        at = end;
    }
    (pieces.len() == count && count > 0).then_some((timescale, pieces))
}

/// As the parameter `codecs` of a media type (RFC 6381): VP9 and H.264.
fn codecs(bytes: &[u8], entry: &Found<'_>) -> Option<String> {
    // The fixed part of a picture's description.
    let within = after(entry.inside.clone(), 78);
    let byte = |config: &Range<usize>, at: usize| number(bytes, config.start.checked_add(at)?, 1);
    match entry.kind {
        b"vp09" => {
            let config = find(bytes, within, b"vpcC")?;
            let (profile, level, depth) = (byte(&config, 4)?, byte(&config, 5)?, byte(&config, 6)? >> 4);
            Some(format!("vp09.{profile:02}.{level:02}.{depth:02}"))
        }
        b"avc1" => {
            let config = find(bytes, within, b"avcC")?;
            let (profile, more, level) = (byte(&config, 1)?, byte(&config, 2)?, byte(&config, 3)?);
            Some(format!("avc1.{profile:02X}{more:02X}{level:02X}"))
        }
        _ => None,
    }
}

struct Found<'a> {
    kind: &'a [u8],
    /// Without the header.
    inside: Range<usize>,
}

fn find(bytes: &[u8], within: Range<usize>, kind: &[u8; 4]) -> Option<Range<usize>> {
    children(bytes, within).find(|found| found.kind == kind).map(|found| found.inside)
}

/// The boxes within a range, up to the first that does not fit into it.
fn children(bytes: &[u8], within: Range<usize>) -> impl Iterator<Item = Found<'_>> {
    let mut at = within.start;
    core::iter::from_fn(move || {
        let size = usize::try_from(number(bytes, at, 4)?).ok().filter(|size| *size >= HEADER)?;
        let end = at.checked_add(size).filter(|end| *end <= within.end)?;
        let inside = after(at..end, HEADER);
        let kind = bytes.get(at.checked_add(4)?..inside.start)?;
        at = end;
        Some(Found { kind, inside })
    })
}

/// A size and a kind, four bytes each. Boxes of 4 GB and more have a longer one, and no place here.
const HEADER: usize = 8;

fn after(range: Range<usize>, skipped: usize) -> Range<usize> {
    range.start.saturating_add(skipped).min(range.end)..range.end
}

/// A number of so many bytes, the highest first.
fn number(bytes: &[u8], at: usize, size: usize) -> Option<u64> {
    let digits = bytes.get(at..at.checked_add(size)?)?;
    Some(digits.iter().fold(0, |number, digit| number << 8 | u64::from(*digit)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TURN: &[u8] = include_bytes!("../../sample/account/Lighthouse/One turn of the light.mp4");

    #[test]
    fn a_film_in_fragments_is_read_as_it_was_made() {
        let film = Film::read(TURN).expect("a film");
        assert_eq!((&*film.codecs, film.width, film.height), ("vp09.00.11.08", 320, 192));
        assert_eq!(film.pieces.len(), 8, "one for each second");
        assert!(film.pieces.iter().all(|piece| piece.ticks == film.timescale));
        assert_eq!(&TURN[film.start.end..][4..8], b"sidx", "the pieces are told after the start");
        for piece in &film.pieces {
            assert_eq!(&TURN[piece.bytes.clone()][4..8], b"moof");
        }
        assert_eq!(&TURN[film.pieces[7].bytes.end..][4..8], b"mfra", "and nothing is left out");
    }

    #[test]
    fn a_manifest_names_every_piece_once_and_how_long_it_takes() {
        let film = Film {
            codecs: "avc1.42C00B".to_owned(),
            width: 16,
            height: 16,
            start: 0..40,
            timescale: 1000,
            pieces: vec![Piece { bytes: 40..100, ticks: 1500 }, Piece { bytes: 100..150, ticks: 500 }],
        };
        let manifest = film.manifest();
        for part in [
            "mediaPresentationDuration=\"PT2.000S\"",
            "codecs=\"avc1.42C00B\"",
            "<BaseURL>film.mp4</BaseURL><SegmentList timescale=\"1000\"><Initialization range=\"0-39\"/>",
            "<S d=\"1500\"/><S d=\"500\"/>",
            "<SegmentURL mediaRange=\"40-99\"/><SegmentURL mediaRange=\"100-149\"/>",
        ] {
            assert!(manifest.contains(part), "{part} in {manifest}");
        }
    }

    #[test]
    fn a_film_without_an_index_or_with_a_second_track_is_not_for_pieces() {
        let renamed = |kind: &[u8], other: &[u8]| {
            let at = TURN.windows(4).position(|window| window == kind).expect("such a box");
            [&TURN[..at], other, &TURN[at + 4..]].concat()
        };
        assert_eq!(Film::read(&renamed(b"sidx", b"free")), None);
        assert_eq!(Film::read(&renamed(b"vp09", b"mp4a")), None);
        let moov = find(TURN, 0..TURN.len(), b"moov").expect("moov");
        let track = children(TURN, moov.clone()).find(|found| found.kind == b"trak").expect("trak").inside;
        let track = &TURN[track.start - HEADER..track.end];
        let size = u32::try_from(moov.len() + HEADER + track.len()).expect("small").to_be_bytes();
        let twice =
            [&TURN[..moov.start - HEADER], &size, &TURN[moov.start - 4..moov.end], track, &TURN[moov.end..]];
        assert_eq!(Film::read(&twice.concat()), None);
    }

    proptest! {
        #[test]
        fn bytes_that_are_broken_anywhere_never_lead_outside_of_the_file(
            at in 0..1000_usize, byte: u8, end in 0..TURN.len(),
        ) {
            let mut broken = TURN[..end].to_vec();
            if let Some(there) = broken.get_mut(at) {
                *there = byte;
            }
            if let Some(film) = Film::read(&broken) {
                prop_assert!(film.pieces.iter().all(|piece| piece.bytes.end <= broken.len()));
                prop_assert!(film.manifest().ends_with("</MPD>\n"));
            }
        }
    }
}
