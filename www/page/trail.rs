//! Where a person is: the folders above, and the file that is open. Kept in the history, named in the URL.

use serde::Serialize;

/// Box's root folder.
pub const ROOT: &str = "0";

/// A folder or a file with its name.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Named {
    /// Box's id, digits.
    pub id: String,
    /// Its name; empty while it is not known.
    pub name: String,
}

impl Named {
    /// Of these two.
    #[must_use]
    pub fn new(id: &str, name: &str) -> Self {
        Self { id: id.to_owned(), name: name.to_owned() }
    }
}

/// What `history.state` holds for each place.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Trail {
    /// From below the root down to the folder whose items are listed. Empty is the root.
    pub folders: Vec<Named>,
    /// The file that is open.
    pub file: Option<Named>,
    /// Whether going back closes the file: it was opened from its folder, one step ago.
    pub from_list: bool,
}

impl Trail {
    /// The root, no file open.
    #[must_use]
    pub fn root() -> Self {
        Self { folders: Vec::new(), file: None, from_list: false }
    }

    /// Reads the URL's fragment, where the history knows no more: names are unknown then.
    #[must_use]
    pub fn from_fragment(fragment: &str) -> Self {
        let fragment = fragment.strip_prefix('#').unwrap_or(fragment);
        let mut trail = Self::root();
        match fragment.split_once('/') {
            Some(("folder", id)) if is_id(id) && id != ROOT => trail.folders.push(Named::new(id, "")),
            Some(("file", id)) if is_id(id) => trail.file = Some(Named::new(id, "")),
            _ => {}
        }
        trail
    }

    /// `#folder/2` or `#file/3`.
    #[must_use]
    pub fn fragment(&self) -> String {
        match &self.file {
            Some(file) => ["#file/", &file.id].concat(),
            None => ["#folder/", self.folder_id()].concat(),
        }
    }

    /// The id of the folder whose items are listed.
    #[must_use]
    pub fn folder_id(&self) -> &str {
        self.folders.last().map_or(ROOT, |folder| &folder.id)
    }

    /// One folder down.
    #[must_use]
    pub fn into_folder(&self, folder: Named) -> Self {
        let mut folders = self.folders.clone();
        folders.push(folder);
        Self { folders, file: None, from_list: false }
    }

    /// Up to the folder at this depth; 0 is the root.
    #[must_use]
    pub fn up_to(&self, depth: usize) -> Self {
        Self { folders: self.folders.iter().take(depth).cloned().collect(), file: None, from_list: false }
    }

    /// The file, in its folder. Going from file to file keeps the list one step back only for the first.
    #[must_use]
    pub fn with_file(&self, file: Named) -> Self {
        Self { folders: self.folders.clone(), file: Some(file), from_list: self.file.is_none() }
    }

    /// The same folder, no file open.
    #[must_use]
    pub fn without_file(&self) -> Self {
        self.up_to(self.folders.len())
    }

    /// What a step from `self` to `next` leaves behind: the entry of the list to come back to.
    #[must_use]
    pub fn left_by(&self, next: &Self) -> Option<&str> {
        let closed =
            self.file.as_ref().filter(|_| next.file.is_none() && self.folder_id() == next.folder_id());
        let climbed =
            self.folders.get(next.folders.len()).filter(|_| self.folders.starts_with(&next.folders));
        closed.or(climbed).map(|named| named.id.as_str())
    }
}

fn is_id(text: &str) -> bool {
    !text.is_empty() && text.len() <= 20 && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_reports() -> Trail {
        Trail::root().into_folder(Named::new("2", "Reports"))
    }

    #[test]
    fn a_fragment_leads_back_to_its_place() {
        for fragment in ["#folder/0", "#folder/2", "#file/3"] {
            assert_eq!(Trail::from_fragment(fragment).fragment(), fragment);
        }
    }

    #[test]
    fn a_strange_fragment_leads_to_the_root() {
        for fragment in
            ["", "#", "#main", "#file/", "#file/x", "#folder/../1", "#other/1", "#file/123456789012345678901"]
        {
            assert_eq!(Trail::from_fragment(fragment).fragment(), "#folder/0", "{fragment}");
        }
    }

    #[test]
    fn the_root_is_no_folder_below_itself() {
        assert!(Trail::from_fragment("#folder/0") == Trail::root());
    }

    #[test]
    fn a_file_is_named_by_the_url_and_stays_in_its_folder() {
        let trail = in_reports().with_file(Named::new("3", "a.pdf"));
        assert_eq!(trail.fragment(), "#file/3");
        assert_eq!(trail.folder_id(), "2");
        assert_eq!(trail.without_file().fragment(), "#folder/2");
    }

    #[test]
    fn going_back_closes_a_file_only_when_the_list_is_one_step_back() {
        let first = in_reports().with_file(Named::new("3", "a.pdf"));
        assert!(first.from_list);
        assert!(!first.with_file(Named::new("4", "b.pdf")).from_list);
    }

    #[test]
    fn coming_up_leads_to_the_folder_just_left() {
        let deep = in_reports().into_folder(Named::new("9", "2025"));
        assert_eq!(deep.left_by(&deep.up_to(1)), Some("9"));
        assert_eq!(deep.left_by(&Trail::root()), Some("2"));
        assert_eq!(Trail::root().left_by(&deep), None);
    }

    #[test]
    fn closing_a_file_leads_to_its_row() {
        let open = in_reports().with_file(Named::new("3", "a.pdf"));
        assert_eq!(open.left_by(&in_reports()), Some("3"));
        assert_eq!(open.left_by(&open.with_file(Named::new("4", "b"))), None);
    }
}
