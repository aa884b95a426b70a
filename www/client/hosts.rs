//! Which hosts are Box's, for the one place where a token in a header is replaced.

/// Whether a request to `host` (a URL's host name, without port) goes to Box: to the API that the Worker
/// named, or to one of Box's own domains, where content is served.
#[must_use]
pub fn is_box(host: &str, api_host: &str) -> bool {
    let owned = ["box.com", "boxcloud.com"]
        .iter()
        .any(|domain| host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.')));
    !host.is_empty() && (host == api_host || owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxes_own_hosts_and_the_named_api_are_box() {
        for host in
            ["api.box.com", "dl.boxcloud.com", "dl12.boxcloud.com", "public.boxcloud.com", "127.0.0.1"]
        {
            assert!(is_box(host, "127.0.0.1"), "{host}");
        }
    }

    #[test]
    fn lookalikes_are_not() {
        for host in ["", "notbox.com", "box.com.example.com", "evilboxcloud.com", "example.com"] {
            assert!(!is_box(host, "api.box.com"), "{host}");
            assert!(!is_box(host, ""), "{host}");
        }
    }
}
