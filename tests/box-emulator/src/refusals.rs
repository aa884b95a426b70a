//! Every refusal, as Box words it: one table for OAuth, one for the API.
//!
//! Where Box's words are known, the comment names where they were seen; the others are ours.

use http::StatusCode;
use serde_json::{Value, json};

/// A refusal of `/oauth2/token` or `/oauth2/revoke`: `{"error", "error_description"}` (RFC 6749 section 5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OAuthRefusal {
    pub(crate) status: StatusCode,
    pub(crate) error: &'static str,
    pub(crate) description: &'static str,
}

impl OAuthRefusal {
    /// The same words with another status; a number that is no status changes nothing.
    pub(crate) fn with_status(self, status: u16) -> Self {
        Self { status: StatusCode::from_u16(status).unwrap_or(self.status), ..self }
    }
}

const fn oauth(error: &'static str, description: &'static str) -> OAuthRefusal {
    OAuthRefusal { status: StatusCode::BAD_REQUEST, error, description }
}

/// box-java-sdk#165, cyberduck#13003.
pub(crate) const REFRESH_TOKEN_EXPIRED: OAuthRefusal = oauth("invalid_grant", "Refresh token has expired");
/// box-python-sdk#71, #587.
pub(crate) const REFRESH_TOKEN_INVALID: OAuthRefusal = oauth("invalid_grant", "Invalid refresh token");
/// box-java-sdk#172, #246.
pub(crate) const CODE_EXPIRED: OAuthRefusal = oauth("invalid_grant", "The authorization code has expired");
/// drotiro/boxfs2#12.
pub(crate) const CODE_INVALID: OAuthRefusal =
    oauth("invalid_grant", "Auth code doesn't exist or is invalid for the client");
/// developer.box.com, common errors; scribejava#842.
pub(crate) const CLIENT_INVALID: OAuthRefusal = oauth("invalid_client", "The client credentials are invalid");
/// developer.box.com, common errors; golchha21/BoxPHPAPI#33.
pub(crate) const GRANT_TYPE_UNAUTHORIZED: OAuthRefusal =
    oauth("invalid_request", "The grant type is unauthorized for this client_id");
/// developer.box.com, common errors; boxcli#154.
pub(crate) const APP_UNAUTHORIZED: OAuthRefusal =
    oauth("unauthorized_client", "This app is not authorized by the enterprise admin");
/// developer.box.com, client credentials grant: for a wrong secret and for a wrong subject.
pub(crate) const GRANT_CREDENTIALS_INVALID: OAuthRefusal =
    oauth("invalid_grant", "Grant credentials are invalid");
/// support.box.com 360044192553, box-java-sdk#439: a user whom the app may not speak for.
pub(crate) const USER_TOKEN_REFUSED: OAuthRefusal =
    oauth("invalid_request", "Cannot obtain user token based on the enterprise configuration for your app");
/// box-windows-sdk-v2#550.
pub(crate) const GRANT_TYPE_MISSING: OAuthRefusal =
    oauth("invalid_request", "Invalid grant_type parameter or parameter missing");
/// box-python-sdk#618.
pub(crate) const REFRESH_TOKEN_MISSING: OAuthRefusal =
    oauth("invalid_request", "No \"refresh_token\" parameter found");
/// box-node-sdk#109, box-java-sdk's tests: for one that has passed and for one too far away.
pub(crate) const JWT_EXP: OAuthRefusal = oauth(
    "invalid_grant",
    "Current date/time MUST be before the expiration date/time listed in the 'exp' claim",
);
/// box-node-sdk#96.
pub(crate) const JWT_IAT_OR_NBF: OAuthRefusal = oauth(
    "invalid_grant",
    "Current date/time MUST be after or equal to the not-before date/time listed in the 'nbf' or 'iat' claim",
);
/// box-node-sdk#403, box-java-sdk's tests. For one of a wrong length, too.
pub(crate) const JWT_JTI: OAuthRefusal =
    oauth("invalid_grant", "Please check the 'jti' claim. A unique 'jti' value is required.");
/// box-python-sdk#868, #822.
pub(crate) const JWT_SUB: OAuthRefusal =
    oauth("invalid_grant", "Please check the 'sub' claim. The 'sub' specified is invalid.");
/// gildas/go-box, `errors.go`; its first sentence also in box/samples, box-node-lambda-sample/README.md.
pub(crate) const JWT_ISS: OAuthRefusal =
    oauth("invalid_grant", "Please check the 'iss' claim. The client id specified is invalid.");
/// box/samples, box-node-lambda-sample/README.md, for a wrong public key id: the words end like that.
pub(crate) const JWT_KEY_UNKNOWN: OAuthRefusal = oauth("invalid_grant", "OpenSSL unable to verify data: ");
/// box-node-sdk#168, box-python-sdk#532.
pub(crate) const RESOURCE_INVALID: OAuthRefusal =
    oauth("invalid_resource", "The target resource is invalid.");

/// Words of ours, from here to the end of the OAuth table.
pub(crate) const CODE_MISSING: OAuthRefusal = oauth("invalid_request", "No \"code\" parameter found");
pub(crate) const TOKEN_MISSING: OAuthRefusal = oauth("invalid_request", "No \"token\" parameter found");
pub(crate) const ASSERTION_MISSING: OAuthRefusal =
    oauth("invalid_request", "No \"assertion\" parameter found");
pub(crate) const SUBJECT_TOKEN_MISSING: OAuthRefusal =
    oauth("invalid_request", "No \"subject_token\" parameter found");
pub(crate) const SUBJECT_TOKEN_TYPE_INVALID: OAuthRefusal =
    oauth("invalid_request", "The subject_token_type is invalid");
pub(crate) const SUBJECT_TOKEN_INVALID: OAuthRefusal = oauth("invalid_grant", "Invalid subject token");
pub(crate) const SCOPE_MISSING: OAuthRefusal = oauth("invalid_request", "No \"scope\" parameter found");
pub(crate) const SCOPE_UNKNOWN: OAuthRefusal = oauth("invalid_scope", "The scope is unknown or malformed");
pub(crate) const SUBJECT_TOKEN_NARROWED: OAuthRefusal =
    oauth("invalid_grant", "The subject token is a downscoped token");
pub(crate) const SCOPE_NOT_HELD: OAuthRefusal =
    oauth("invalid_scope", "The scope exceeds what the subject token holds");
pub(crate) const SCOPE_INSUFFICIENT: OAuthRefusal =
    oauth("insufficient_scope", "The scope exceeds what the subject token holds");
pub(crate) const SHARED_LINK_AND_RESOURCE: OAuthRefusal =
    oauth("invalid_request", "box_shared_link and resource exclude each other");
pub(crate) const NOT_A_FORM: OAuthRefusal =
    oauth("invalid_request", "The body is not application/x-www-form-urlencoded");
pub(crate) const PARAMETER_REPEATED: OAuthRefusal = oauth("invalid_request", "A parameter is given twice");
pub(crate) const VERIFIER_INVALID: OAuthRefusal =
    oauth("invalid_grant", "The code_verifier does not match the code_challenge");
pub(crate) const JWT_UNREADABLE: OAuthRefusal = oauth("invalid_grant", "The assertion is not a JWT");
pub(crate) const JWT_ALGORITHM: OAuthRefusal =
    oauth("invalid_grant", "Please check the 'alg' header. It must be RS256, RS384 or RS512.");
pub(crate) const JWT_TYPE: OAuthRefusal =
    oauth("invalid_grant", "Please check the 'typ' header. It must be JWT.");
pub(crate) const JWT_KEY_MISSING: OAuthRefusal =
    oauth("invalid_grant", "Please check the 'kid' header. The application has not exactly one public key.");
pub(crate) const JWT_SIGNATURE: OAuthRefusal =
    oauth("invalid_grant", "The signature of the assertion is invalid");
pub(crate) const JWT_AUD: OAuthRefusal =
    oauth("invalid_grant", "Please check the 'aud' claim. The 'aud' specified is invalid.");
pub(crate) const JWT_SUB_TYPE: OAuthRefusal =
    oauth("invalid_grant", "Please check the 'box_sub_type' claim. It must be enterprise or user.");
pub(crate) const ACTOR_TOKEN_MISSING: OAuthRefusal =
    oauth("invalid_request", "No \"actor_token\" parameter found");
pub(crate) const ACTOR_TOKEN_TYPE_INVALID: OAuthRefusal =
    oauth("invalid_request", "The actor_token_type is invalid");
pub(crate) const ACTOR_CLAIMS_INVALID: OAuthRefusal = oauth(
    "invalid_grant",
    "Please check the 'box_sub_type' and 'name' claims. An actor is external and has a name.",
);
pub(crate) const NOT_A_POST: OAuthRefusal = OAuthRefusal {
    status: StatusCode::METHOD_NOT_ALLOWED,
    error: "invalid_request",
    description: "The method is not allowed",
};

/// A refusal of the API: Box's error object.
/// <https://developer.box.com/guides/api-calls/permissions-and-errors/common-errors/>
#[derive(Clone, Debug)]
pub(crate) struct ApiRefusal {
    pub(crate) status: StatusCode,
    pub(crate) code: &'static str,
    pub(crate) message: &'static str,
    pub(crate) context_info: Option<Value>,
}

const fn api(status: StatusCode, code: &'static str, message: &'static str) -> ApiRefusal {
    ApiRefusal { status, code, message, context_info: None }
}

pub(crate) const INSUFFICIENT_SCOPE: ApiRefusal = api(
    StatusCode::FORBIDDEN,
    "insufficient_scope",
    "The request requires higher privileges than provided by the access token.",
);
pub(crate) const INSUFFICIENT_PERMISSIONS: ApiRefusal = api(
    StatusCode::FORBIDDEN,
    "access_denied_insufficient_permissions",
    "Access denied - insufficient permission",
);
pub(crate) const NOT_FOUND: ApiRefusal = api(StatusCode::NOT_FOUND, "not_found", "Not Found");
pub(crate) const METHOD_NOT_ALLOWED: ApiRefusal =
    api(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "Method Not Allowed");

/// From here to the next remark: common errors.
pub(crate) const TRASHED: ApiRefusal = api(StatusCode::NOT_FOUND, "trashed", "Item is trashed");
pub(crate) const PRECONDITION_FAILED: ApiRefusal = api(
    StatusCode::PRECONDITION_FAILED,
    "precondition_failed",
    "The resource has been modified. Retrieve the resource again and retry",
);
pub(crate) const FOLDER_NOT_EMPTY: ApiRefusal =
    api(StatusCode::BAD_REQUEST, "folder_not_empty", "Cannot delete - folder not empty");
pub(crate) const CYCLICAL_FOLDERS: ApiRefusal = api(
    StatusCode::BAD_REQUEST,
    "cyclical_folder_structure",
    "Folder move creates cyclical folder structure",
);
pub(crate) const ITEM_NAME_INVALID: ApiRefusal =
    api(StatusCode::BAD_REQUEST, "item_name_invalid", "Item name invalid");
pub(crate) const ITEM_NAME_TOO_LONG: ApiRefusal =
    api(StatusCode::BAD_REQUEST, "item_name_too_long", "Item name too long");
pub(crate) const METADATA_AFTER_FILE: ApiRefusal = api(
    StatusCode::BAD_REQUEST,
    "metadata_after_file_contents",
    "Metadata is included after file contents in a file upload request.",
);
pub(crate) const BAD_DIGEST: ApiRefusal =
    api(StatusCode::BAD_REQUEST, "bad_digest", "The specified content-md5 did not match what we received");
pub(crate) const BODY_TOO_LARGE: ApiRefusal =
    api(StatusCode::PAYLOAD_TOO_LARGE, "request_entity_too_large", "Request Entity too Large");
pub(crate) const USER_LOGIN_IN_USE: ApiRefusal =
    api(StatusCode::CONFLICT, "user_login_already_used", "User with the specified login already exists");
/// <https://developer.box.com/guides/api-calls/permissions-and-errors/rate-limits/>
pub(crate) const RATE_LIMIT_EXCEEDED: ApiRefusal = api(
    StatusCode::TOO_MANY_REQUESTS,
    "rate_limit_exceeded",
    "Request rate limit exceeded, please try again later",
);
/// Code from common errors; the words are ours.
pub(crate) const INCORRECT_SHARED_ITEM_PASSWORD: ApiRefusal = api(
    StatusCode::FORBIDDEN,
    "incorrect_shared_item_password",
    "A password is required for this shared item, but it was either incorrect or not supplied",
);

/// 400, with the name of the parameter that is wrong.
pub(crate) fn bad_parameter(name: &'static str) -> ApiRefusal {
    bad_request("invalid_parameter", name)
}

/// 400, with the name of the parameter that is not there.
pub(crate) fn missing_parameter(name: &'static str) -> ApiRefusal {
    bad_request("missing_parameter", name)
}

/// The two reasons are those of <https://developer.box.com/reference/get-search/>.
fn bad_request(reason: &str, name: &str) -> ApiRefusal {
    let errors = json!({"errors": [{"reason": reason, "name": name}]});
    ApiRefusal { context_info: Some(errors), ..api(StatusCode::BAD_REQUEST, "bad_request", "Bad Request") }
}

/// 409, with what has that name already. Common errors; box-openapi's `ConflictError`.
pub(crate) fn name_in_use(conflicts: Option<Value>) -> ApiRefusal {
    ApiRefusal {
        context_info: conflicts.map(|conflicts| json!({"conflicts": conflicts})),
        ..api(StatusCode::CONFLICT, "item_name_in_use", "Item with the same name already exists")
    }
}

/// The words for an app whose allow-list lacks the page's origin.
/// <https://developer.box.com/guides/security/cors/>
pub(crate) fn origin_not_listed(origin: &str) -> ApiRefusal {
    ApiRefusal {
        context_info: Some(json!({"origin": origin})),
        ..api(
            StatusCode::FORBIDDEN,
            "cors_origin_not_whitelisted",
            "Access denied - Did you forget to safelist your origin in the CORS config of your app?",
        )
    }
}

/// What a fault of `status` says when its order names no body.
pub(crate) fn of_status(status: StatusCode) -> ApiRefusal {
    match status.as_u16() {
        403 => INSUFFICIENT_PERMISSIONS,
        404 => NOT_FOUND,
        429 => RATE_LIMIT_EXCEEDED,
        502 => api(status, "bad_gateway", "Bad Gateway"),
        503 => api(status, "unavailable", "Unavailable"),
        500..=599 => api(status, "internal_server_error", "Internal Server Error"),
        _ => api(status, "bad_request", "Bad Request"),
    }
}
