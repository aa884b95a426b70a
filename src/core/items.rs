//! A page of a folder, for picking a file.

use http::{Request, Response, StatusCode};

use crate::{
    app::{Body, Context, Keepers, Store},
    box_api::PageAsk,
    fault::Fault,
    headers,
    item::Item,
    keeper::message::{Ask, Reply},
    session,
};

/// Entries in a page that nobody asked another number for, and the most Box gives (Box, "List items in folder").
const LIMIT_DEFAULT: u32 = 100;
const LIMIT_MAX: u32 = 1000;

/// Lists names, types, sizes and dates.
pub(crate) async fn list<S: Store, K: Keepers>(
    context: &Context<'_, S, K>,
    request: &Request<Vec<u8>>,
    folder: &str,
) -> Result<Response<Body>, Fault> {
    let folder = Item::folder(folder).ok_or(Fault::MalformedItem)?;
    let page = page_ask(request.uri().query().unwrap_or_default())?;
    match session::ask(context, request.headers(), Ask::Items { folder, page }).await? {
        Reply::Items(page) => Ok(headers::json(StatusCode::OK, &page)),
        _ => Err(Fault::Skewed),
    }
}

fn page_ask(query: &str) -> Result<PageAsk, Fault> {
    let mut ask = PageAsk { offset: 0, limit: LIMIT_DEFAULT };
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        match &*name {
            "offset" => ask.offset = value.parse().map_err(|_| Fault::Malformed("offset"))?,
            "limit" => ask.limit = value.parse().map_err(|_| Fault::Malformed("limit"))?,
            _ => {}
        }
    }
    if !(1..=LIMIT_MAX).contains(&ask.limit) {
        return Err(Fault::Malformed("limit"));
    }
    Ok(ask)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_asked_for_by_offset_and_limit() {
        for (query, offset, limit) in [
            ("", 0, 100),
            ("offset=0&limit=50", 0, 50),
            ("limit=1000&offset=4294967295&x=y", 4_294_967_295, 1000),
        ] {
            assert_eq!(page_ask(query), Ok(PageAsk { offset, limit }), "{query}");
        }
    }

    #[test]
    fn an_offset_or_limit_that_box_does_not_know_is_refused() {
        for (query, part) in [
            ("limit=0", "limit"),
            ("limit=1001", "limit"),
            ("limit=", "limit"),
            ("limit=ten", "limit"),
            ("offset=-1", "offset"),
            ("offset=4294967296", "offset"),
        ] {
            assert_eq!(page_ask(query), Err(Fault::Malformed(part)), "{query}");
        }
    }
}
