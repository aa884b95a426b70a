//! Which address is what.

use http::Method;

use crate::fault::Fault;

/// Where [`Route::HandOver`] is: the one address of ours under `/auth/` that a login may return to.
pub(crate) const HAND_OVER: &str = "/auth/hand-over";

/// What the Worker serves. Everything else is a static asset or nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// The page.
    Page,
    /// A login starts.
    Login,
    /// Box sends the browser back.
    Callback,
    /// What a popup shows at the end.
    Done,
    /// A popup through which a page of another site gets its tokens.
    HandOver,
    /// The session ends.
    Logout,
    /// Who is signed in.
    Session,
    /// Narrowed tokens.
    Tokens,
    /// A page of a folder.
    Items {
        /// The folder's plain id, as it stands in the path.
        folder: String,
    },
    /// Whether the settings parse.
    Health,
}

/// What to do with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Routed {
    /// Serve it.
    Serve(Route),
    /// Answer a CORS preflight for it.
    Preflight(Route),
}

impl Route {
    /// The route at this path.
    #[must_use]
    pub fn at(path: &str) -> Option<Self> {
        Some(match path {
            "/" | "/index.html" => Self::Page,
            "/auth/login" => Self::Login,
            "/auth/callback" => Self::Callback,
            "/auth/done" => Self::Done,
            HAND_OVER => Self::HandOver,
            "/auth/logout" => Self::Logout,
            "/api/session" => Self::Session,
            "/api/tokens" => Self::Tokens,
            "/healthz" => Self::Health,
            _ => {
                let folder = path.strip_prefix("/api/folders/")?.strip_suffix("/items")?;
                let one_segment = !folder.is_empty() && !folder.contains('/');
                return one_segment.then(|| Self::Items { folder: folder.to_owned() });
            }
        })
    }

    /// For the log: never the path itself.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::Login => "login",
            Self::Callback => "callback",
            Self::Done => "done",
            Self::HandOver => "hand_over",
            Self::Logout => "logout",
            Self::Session => "session",
            Self::Tokens => "tokens",
            Self::Items { .. } => "items",
            Self::Health => "health",
        }
    }

    /// Whether scripts call it: then [`crate::guard::may_call`] decides, and CORS applies.
    #[must_use]
    pub const fn is_call(&self) -> bool {
        matches!(self, Self::Logout | Self::Session | Self::Tokens | Self::Items { .. })
    }

    /// For the `Allow` header.
    #[must_use]
    pub const fn methods(&self) -> &'static str {
        match self {
            Self::Page | Self::Done | Self::Health => "GET, HEAD",
            Self::Login | Self::Callback | Self::HandOver => "GET",
            Self::Session | Self::Items { .. } => "GET, HEAD, OPTIONS",
            Self::Logout | Self::Tokens => "POST, OPTIONS",
        }
    }
}

/// Finds the route. `HEAD` is `GET` without a body where nothing changes; `OPTIONS` only asks about CORS.
///
/// # Errors
/// [`Fault::NotFound`], [`Fault::MethodNotAllowed`].
pub fn route(method: &Method, path: &str) -> Result<Routed, Fault> {
    let route = Route::at(path).ok_or(Fault::NotFound)?;
    let allow = route.methods();
    if !allow.split(", ").any(|allowed| allowed == method.as_str()) {
        return Err(Fault::MethodNotAllowed { allow });
    }
    Ok(if *method == Method::OPTIONS { Routed::Preflight(route) } else { Routed::Serve(route) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(method: &str, path: &str) -> Result<Routed, Fault> {
        route(&Method::from_bytes(method.as_bytes()).unwrap(), path)
    }

    #[test]
    fn every_address_has_its_route() {
        for (method, path, name) in [
            ("GET", "/", "page"),
            ("HEAD", "/index.html", "page"),
            ("GET", "/auth/login", "login"),
            ("GET", "/auth/callback", "callback"),
            ("GET", "/auth/done", "done"),
            ("GET", "/auth/hand-over", "hand_over"),
            ("POST", "/auth/logout", "logout"),
            ("GET", "/api/session", "session"),
            ("POST", "/api/tokens", "tokens"),
            ("GET", "/api/folders/0/items", "items"),
            ("GET", "/healthz", "health"),
        ] {
            let Ok(Routed::Serve(route)) = found(method, path) else { panic!("{method} {path}") };
            assert_eq!(route.name(), name);
        }
    }

    #[test]
    fn an_unknown_address_is_not_found() {
        for path in [
            "",
            "//",
            "/auth",
            "/auth/login/",
            "/AUTH/LOGIN",
            "/auth/%6cogin",
            "/api/folders//items",
            "/api/folders/1/2/items",
            "/api/folders/items",
            "/oauth2/token",
        ] {
            assert_eq!(found("GET", path), Err(Fault::NotFound), "{path}");
        }
    }

    #[test]
    fn s31_a_wrong_method_is_refused_and_told_the_right_ones() {
        for (method, path, allow) in [
            ("GET", "/auth/logout", "POST, OPTIONS"),
            ("GET", "/api/tokens", "POST, OPTIONS"),
            ("POST", "/api/session", "GET, HEAD, OPTIONS"),
            ("POST", "/auth/login", "GET"),
            ("HEAD", "/auth/login", "GET"),
            ("HEAD", "/auth/callback", "GET"),
            ("POST", "/auth/hand-over", "GET"),
            ("OPTIONS", "/auth/login", "GET"),
            ("DELETE", "/", "GET, HEAD"),
            ("BREW", "/healthz", "GET, HEAD"),
        ] {
            assert_eq!(found(method, path), Err(Fault::MethodNotAllowed { allow }), "{method} {path}");
        }
    }

    #[test]
    fn only_what_scripts_call_answers_a_preflight() {
        assert_eq!(found("OPTIONS", "/api/tokens"), Ok(Routed::Preflight(Route::Tokens)));
        assert!(found("OPTIONS", "/").is_err());
    }
}
