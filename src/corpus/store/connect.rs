//! Clients of object stores, set up by the environment variables of each store's own tools.

use std::path::Path;
use std::sync::Arc;

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::azure::{AzureConfigKey, MicrosoftAzureBuilder};
use object_store::gcp::{GoogleCloudStorageBuilder, GoogleConfigKey};
use object_store::{ClientConfigKey, ObjectStore};

use super::failure::words;
use super::requests::Answer;
use crate::corpus::address::{Bucket, Scheme};
use crate::error::{Error, Result};

/// Time for a request, unless the environment sets one: a part over a slow line.
const TIMEOUT: &str = "180 seconds";

/// A client of a bucket. Requests are repeated up to ten times in three minutes, with growing pauses.
pub(super) fn connect(bucket: &Bucket, place: &Path) -> Result<Arc<dyn ObjectStore>> {
    // Another provider may be installed by the program that uses this library; it serves as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
    client(bucket).map_err(|error| {
        let remedy = format!("set {}", bucket.scheme.variables());
        Error::input(place, None, words(&error), remedy)
    })
}

fn client(bucket: &Bucket) -> Answer<Arc<dyn ObjectStore>> {
    let name = bucket.name.as_str();
    let is_unset = |variable: &str| std::env::var_os(variable).is_none();
    Ok(match bucket.scheme {
        Scheme::S3 => {
            let mut builder = AmazonS3Builder::from_env().with_bucket_name(name);
            if is_unset("AWS_TIMEOUT") {
                let key = AmazonS3ConfigKey::Client(ClientConfigKey::Timeout);
                builder = builder.with_config(key, TIMEOUT);
            }
            Arc::new(builder.build()?)
        }
        Scheme::Google => {
            let mut builder = GoogleCloudStorageBuilder::from_env().with_bucket_name(name);
            if is_unset("GOOGLE_TIMEOUT") {
                let key = GoogleConfigKey::Client(ClientConfigKey::Timeout);
                builder = builder.with_config(key, TIMEOUT);
            }
            Arc::new(builder.build()?)
        }
        Scheme::Azure => {
            let mut builder = MicrosoftAzureBuilder::from_env().with_container_name(name);
            if is_unset("AZURE_TIMEOUT") {
                let key = AzureConfigKey::Client(ClientConfigKey::Timeout);
                builder = builder.with_config(key, TIMEOUT);
            }
            Arc::new(builder.build()?)
        }
    })
}
