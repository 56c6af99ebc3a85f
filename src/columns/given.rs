//! Columns of values that the catalog's records give.

/// A column function for each name under `data`, on rows of all kinds that have it. A name that no
/// kind has does not compile.
macro_rules! given {
    ($($function:ident $name:literal)*) => {$(
        #[doc = concat!("`", $name, "`, given by the record.")]
        pub fn $function(v: &$crate::columns::View<'_>) -> $crate::columns::Column {
            v.given(const { $crate::kinds::given($name) }, $name)
        }
    )*};
}
