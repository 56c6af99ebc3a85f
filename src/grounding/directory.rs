//! AD users from CSV.

/// One account of the directory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct User {
    /// sAMAccountName, as written.
    pub username: String,
    pub department: Option<String>,
    pub display_name: Option<String>,
    pub email: Option<String>,
}
