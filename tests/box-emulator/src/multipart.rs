//! `multipart/form-data` bodies (RFC 7578), read at once.

use std::convert::Infallible;

use bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::stream;
use multer::Multipart;

/// One field of a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    /// `None`: it has none, which no browser and no SDK sends.
    pub(crate) name: Option<String>,
    /// Of a field that is a file.
    pub(crate) file_name: Option<String>,
    pub(crate) bytes: Bytes,
}

/// The fields of `body`, in the order given; `None` when it is not what `content_type` says, or that says something
/// else.
pub(crate) fn read(content_type: &str, body: &[u8]) -> Option<Vec<Part>> {
    let boundary = multer::parse_boundary(content_type).ok()?;
    let body = Bytes::copy_from_slice(body);
    let body = stream::once(async move { Ok::<_, Infallible>(body) });
    // All of the body is there, so nothing in this ever waits.
    parts(Multipart::new(body, boundary)).now_or_never()?.ok()
}

async fn parts(mut form: Multipart<'_>) -> Result<Vec<Part>, multer::Error> {
    let mut parts = Vec::new();
    while let Some(field) = form.next_field().await? {
        let (name, file_name) = (field.name().map(str::to_owned), field.file_name().map(str::to_owned));
        parts.push(Part { name, file_name, bytes: field.bytes().await? });
    }
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KIND: &str = "multipart/form-data; boundary=XX";

    #[test]
    fn fields_and_files_come_in_their_order() {
        let body = "--XX\r\nContent-Disposition: form-data; name=\"attributes\"\r\n\r\n{}\r\n--XX\r\n\
                    Content-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\
                    Content-Type: text/plain\r\n\r\none\r\ntwo\r\n--XX--\r\n";
        let parts = read(KIND, body.as_bytes()).expect("readable");
        let part = |name: &str, file_name: Option<&str>, text: &'static str| Part {
            name: Some(name.to_owned()),
            file_name: file_name.map(str::to_owned),
            bytes: Bytes::from(text),
        };
        assert_eq!(parts, [part("attributes", None, "{}"), part("file", Some("a.txt"), "one\r\ntwo")]);
    }

    #[test]
    fn what_is_no_form_is_none() {
        let cut = "--XX\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nb";
        for (kind, body) in [
            ("text/plain", "--XX--"),
            ("multipart/form-data", "--XX--"),
            (KIND, ""),
            (KIND, "--XX"),
            (KIND, cut),
            (KIND, "--YY--\r\n"),
        ] {
            assert_eq!(read(kind, body.as_bytes()), None, "{kind} {body:?}");
        }
        assert_eq!(read(KIND, b"--XX--\r\n"), Some(Vec::new()), "a form without fields is one");
    }

    proptest! {
        #[test]
        fn no_body_makes_it_panic_or_wait(
            body in prop::collection::vec(
                prop_oneof![
                    Just("--XX".to_owned()), Just("--".to_owned()), Just("\r\n".to_owned()),
                    Just("Content-Disposition: form-data; name=\"a\"".to_owned()), "\\PC{0,8}",
                ],
                0..20,
            ),
            kind in "\\PC{0,40}",
        ) {
            let body = body.concat();
            read(KIND, body.as_bytes());
            read(&kind, body.as_bytes());
        }
    }
}
