//! Names of a synthetic organisation.

/// Parts of the names of users, hosts, sites and domains that no input file provides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    /// DNS name of the AD domain, `fusionai.local`, and its NetBIOS name, `FUSIONAI`, which must differ.
    pub dns_domain: String,
    pub netbios_domain: String,
    /// Given and family names, ASCII, capitalised.
    pub given: Vec<String>,
    pub family: Vec<String>,
    /// Department and its weight.
    pub departments: Vec<(String, u32)>,
    /// Site name and its weight. The first site is the headquarters and holds the servers.
    pub sites: Vec<(String, u32)>,
    /// Syllables and words that benign and adversary domain names are composed of.
    pub domain_words: Vec<String>,
    /// Top-level domains with weights.
    pub top_level_domains: Vec<(String, u32)>,
    /// Benign Internet services: host name, and whether it is a CDN name.
    pub services: Vec<String>,
    /// Document stems for file names: `budget`, `minutes`, …
    pub documents: Vec<String>,
}
