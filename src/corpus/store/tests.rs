//! The store over an object store in memory. `tests/interop/test_object_stores.py` uses a server.

use object_store::memory::InMemory;

use super::requests::PIECE;
use super::*;
use crate::corpus::address::Scheme;

fn store(objects: &Arc<InMemory>, prefix: &str) -> Store {
    let bucket = Bucket {
        scheme: Scheme::S3,
        name: "b".into(),
        prefix: prefix.into(),
    };
    Store::over(bucket, objects.clone()).unwrap()
}

fn contents(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at / 7 + at / PIECE) as u8).collect()
}

fn write(store: &Store, path: &str, bytes: &[u8]) {
    let mut upload = store.upload(path);
    // Slices that fit no piece.
    bytes
        .chunks(300_001)
        .for_each(|chunk| upload.write_all(chunk).unwrap());
    upload
        .finish(blake3::hash(bytes).to_hex().as_str())
        .unwrap();
}

fn fetched(store: &Store, path: &str) -> io::Result<Vec<u8>> {
    let mut found = Vec::new();
    store.fetch(path, &mut |piece| {
        found.extend_from_slice(piece);
        Ok(())
    })?;
    Ok(found)
}

fn paths(store: &Store) -> Vec<String> {
    let mut paths: Vec<_> = store
        .list("")
        .unwrap()
        .into_iter()
        .map(|o| o.path)
        .collect();
    paths.sort();
    paths
}

#[test]
fn objects_of_any_size_are_read_as_they_were_written() {
    let objects = Arc::default();
    let store = store(&objects, "corpus");
    for length in [0, 1, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE, 5 * PIECE + 3] {
        let bytes = contents(length);
        write(&store, "events/x", &bytes);
        assert!(fetched(&store, "events/x").unwrap() == bytes, "{length}");
        let found = store.find("events/x").unwrap().unwrap();
        assert_eq!(found.bytes, length as u64);
    }
    let missing = fetched(&store, "events/y").unwrap_err();
    assert_eq!(missing.kind(), io::ErrorKind::NotFound);
}

#[test]
fn an_upload_that_is_dropped_leaves_nothing() {
    let objects = Arc::default();
    let store = store(&objects, "corpus");
    for length in [10, 3 * PIECE] {
        let mut upload = store.upload("events/x");
        upload.write_all(&contents(length)).unwrap();
        drop(upload);
        assert_eq!(paths(&store), [""; 0]);
    }
}

#[test]
fn a_store_sees_its_prefix_alone() {
    let objects = Arc::default();
    let (one, other) = (store(&objects, "a%20b/c"), store(&objects, "a%20b/c2"));
    for path in ["plan.json", "events/d/x", "events/d/y"] {
        write(&one, path, b"1");
        write(&other, path, b"2");
    }
    assert_eq!(paths(&one), ["events/d/x", "events/d/y", "plan.json"]);
    assert_eq!(one.names().unwrap(), ["events", "plan.json"]);
    one.remove(&["events/d/x".into(), "not there".into()])
        .unwrap();
    let read = one
        .read_all(&["events/d/x".into(), "plan.json".into()])
        .unwrap();
    assert_eq!(read, [None, Some(b"1".to_vec())]);
    assert_eq!(other.read("events/d/x").unwrap(), b"2");
    // The whole bucket.
    let all = store(&objects, "");
    assert_eq!(all.names().unwrap(), ["a%20b"]);
    assert_eq!(all.read("a%20b/c2/plan.json").unwrap(), b"2");
}

#[test]
fn an_object_is_created_once() {
    let objects = Arc::default();
    let store = store(&objects, "corpus");
    assert!(store.create("_SUCCESS", b"first").unwrap());
    assert!(!store.create("_SUCCESS", b"second").unwrap());
    assert_eq!(store.read("_SUCCESS").unwrap(), b"first");
}

#[test]
fn requests_fail_while_the_run_is_stopped() {
    let objects = Arc::default();
    let store = store(&objects, "corpus");
    write(&store, "x", b"1");
    let mut upload = store.upload("y");
    upload.write_all(&contents(2 * PIECE)).unwrap();
    store.set_stopped(true);
    for failed in [
        store.read("x").err(),
        upload.finish("").err(),
        fetched(&store, "x").err(),
    ] {
        let error = crate::Error::io("x".as_ref(), "read", failed.unwrap());
        assert!(matches!(error, crate::Error::Stopped { .. }), "{error}");
    }
    store.set_stopped(false);
    assert_eq!(paths(&store), ["x"]);
}

/// Programs that use this library may run on a runtime of their own.
#[test]
fn a_store_serves_the_threads_of_another_runtime() {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.build().unwrap();
    runtime.block_on(async {
        let objects = Arc::default();
        let store = store(&objects, "corpus");
        write(&store, "x", &contents(PIECE + 1));
        assert_eq!(fetched(&store, "x").unwrap().len(), PIECE + 1);
    });
}
