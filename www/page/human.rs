//! Numbers and names as people read them.

/// A JavaScript number as a whole one, rounded down; what is below zero or no number is 0.
#[must_use]
#[expect(clippy::as_conversions, reason = "a cast from a float saturates and turns NaN to 0: what is wanted")]
pub fn whole(number: f64) -> u64 {
    number as u64
}

/// `1 item`, `12 items`, `no items`.
#[must_use]
pub fn count(items: u64) -> String {
    match items {
        0 => "no items".to_owned(),
        1 => "1 item".to_owned(),
        _ => [&items.to_string(), " items"].concat(),
    }
}

/// `640 B`, `1.2 MB`, in steps of 1,000 with one decimal below ten.
#[must_use]
pub fn size(bytes: u64) -> String {
    let rounded = |divisor: u64| bytes.saturating_add(divisor / 2) / divisor;
    let (mut unit, mut divisor) = ("B", 1_u64);
    for larger in ["KB", "MB", "GB", "TB"] {
        if rounded(divisor) < 1_000 {
            break;
        }
        unit = larger;
        divisor = divisor.saturating_mul(1_000);
    }
    let tenths = rounded(divisor / 10 + u64::from(divisor < 10));
    let number = if divisor > 1 && tenths < 100 && tenths % 10 != 0 {
        [&(tenths / 10).to_string(), ".", &(tenths % 10).to_string()].concat()
    } else {
        rounded(divisor).to_string()
    };
    [&number, " ", unit].concat()
}

/// `59:04`, or `1:05:00` from an hour on; never below `0:00`.
#[must_use]
pub fn countdown(seconds: u64) -> String {
    let two =
        |number: u64| if number < 10 { ["0", &number.to_string()].concat() } else { number.to_string() };
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    match hours {
        0 => [minutes.to_string(), two(seconds)].join(":"),
        _ => [hours.to_string(), two(minutes), two(seconds)].join(":"),
    }
}

/// The icon of a file, by the ending of its name.
#[must_use]
pub fn icon(name: &str) -> &'static str {
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending).to_ascii_lowercase();
    match ending.as_str() {
        "png" | "jpg" | "jpeg" | "gif" | "svg" | "webp" | "heic" | "tif" | "tiff" | "psd" => "#i-image",
        "csv" | "tsv" | "xls" | "xlsx" | "numbers" | "gsheet" => "#i-table",
        "pdf" | "ppt" | "pptx" | "key" | "gslides" | "ai" => "#i-page",
        "txt" | "md" | "doc" | "docx" | "rtf" | "log" | "json" | "html" | "xml" | "gdoc" | "boxnote" => {
            "#i-text"
        }
        _ => "#i-file",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_number_of_javascripts_becomes_a_whole_one() {
        assert_eq!([whole(2.9), whole(-1.0), whole(f64::NAN), whole(f64::INFINITY)], [2, 0, 0, u64::MAX]);
    }

    #[test]
    fn sizes_read_well_at_every_step() {
        let sizes = [
            (0, "0 B"),
            (640, "640 B"),
            (999, "999 B"),
            (1_000, "1 KB"),
            (1_240, "1.2 KB"),
            (9_960, "10 KB"),
            (48_400, "48 KB"),
            (48_500, "49 KB"),
            (999_499, "999 KB"),
            (999_999, "1 MB"),
            (1_250_000, "1.3 MB"),
            (3_000_000_000, "3 GB"),
            (u64::MAX, "18446744 TB"),
        ];
        for (bytes, text) in sizes {
            assert_eq!(size(bytes), text, "{bytes}");
        }
    }

    #[test]
    fn time_left_counts_down_in_two_digits() {
        for (seconds, text) in [(0, "0:00"), (9, "0:09"), (61, "1:01"), (3_599, "59:59"), (3_900, "1:05:00")]
        {
            assert_eq!(countdown(seconds), text);
        }
    }

    #[test]
    fn items_are_counted_in_words() {
        assert_eq!([count(0), count(1), count(2)], ["no items", "1 item", "2 items"]);
    }

    #[test]
    fn an_icon_follows_the_ending_whatever_its_case() {
        assert_eq!(icon("a.PNG"), "#i-image");
        assert_eq!(icon("a.b.csv"), "#i-table");
        assert_eq!(icon("README"), "#i-file");
        assert_eq!(icon(".unheard"), "#i-file");
    }
}
