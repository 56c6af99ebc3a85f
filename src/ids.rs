//! The numbers of hosts, accounts, rules and images. Each has a type of its own, so that the compiler
//! refuses a host where an account belongs.

use std::marker::PhantomData;

macro_rules! ids {
    ($($(#[$about:meta])* $name:ident;)*) => {$(
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        #[repr(transparent)]
        pub struct $name(u32);

        impl $name {
            /// The id of entry `index`.
            #[inline]
            pub const fn new(index: usize) -> Self {
                Self(index as u32)
            }

            /// The index of the entry.
            #[inline]
            pub const fn index(self) -> usize {
                self.0 as usize
            }

            /// The index as a number to calculate with.
            #[inline]
            pub const fn get(self) -> u32 {
                self.0
            }

            /// The index as a key of an Arrow dictionary.
            #[inline]
            pub const fn key(self) -> i32 {
                self.0 as i32
            }
        }

        /// For keys of random streams.
        impl From<$name> for u64 {
            #[inline]
            fn from(id: $name) -> u64 {
                u64::from(id.0)
            }
        }

        impl From<$name> for Optional<$name> {
            #[inline]
            fn from(id: $name) -> Self {
                Optional(id.key(), PhantomData)
            }
        }

        impl From<Option<$name>> for Optional<$name> {
            #[inline]
            fn from(id: Option<$name>) -> Self {
                id.map_or(Optional::NONE, Self::from)
            }
        }

        impl Optional<$name> {
            /// The id, if there is one.
            #[inline]
            pub const fn get(self) -> Option<$name> {
                match self.is_some() {
                    true => Some($name(self.0 as u32)),
                    false => None,
                }
            }
        }
    )*};
}

ids! {
    /// A host of the world.
    HostId;
    /// An account of the world.
    AccountId;
    /// A rule of the world's detections.
    RuleId;
    /// An image of the catalog.
    ImageId;
}

/// Accounts in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccountRange {
    first: u32,
    count: u32,
}

impl AccountRange {
    #[inline]
    pub(crate) const fn new(first: u32, count: u32) -> Self {
        AccountRange { first, count }
    }

    #[inline]
    pub const fn len(self) -> usize {
        self.count as usize
    }

    #[inline]
    pub const fn is_empty(self) -> bool {
        self.count == 0
    }

    /// The account at a place among them; of an empty range, the account after it.
    #[inline]
    pub const fn nth(self, place: u64) -> AccountId {
        AccountId(self.first + place as u32)
    }

    /// The place of an account among them, if it is one of them.
    #[inline]
    pub fn place(self, account: AccountId) -> Option<u64> {
        self.contains(account)
            .then(|| u64::from(account.0 - self.first))
    }

    #[inline]
    pub const fn contains(self, account: AccountId) -> bool {
        self.first <= account.0 && account.0 < self.first + self.count
    }

    pub fn iter(self) -> impl Iterator<Item = AccountId> {
        (self.first..self.first + self.count).map(AccountId)
    }
}

/// An id or none, in the four bytes of a key of an Arrow dictionary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct Optional<T>(i32, PhantomData<T>);

impl<T> Optional<T> {
    pub const NONE: Self = Optional(-1, PhantomData);

    /// Whether there is an id.
    #[inline]
    pub const fn is_some(self) -> bool
    where
        T: Copy,
    {
        self.0 >= 0
    }

    /// The key; that of null if there is no id.
    #[inline]
    pub const fn key(self) -> i32
    where
        T: Copy,
    {
        self.0
    }
}
