//! Assets from a CMDB export, as CSV.

/// One host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asset {
    pub hostname: String,
    /// `Workstation`, `Server`, `Domain Controller`, …
    pub asset_type: Option<String>,
    /// `low`, `medium`, `high`, `critical`.
    pub criticality: Option<String>,
    pub location: Option<String>,
    pub ip_address: std::net::Ipv4Addr,
    pub os: String,
    pub owner: Option<String>,
    pub department: Option<String>,
}
