//! Examples live in this package's `tests` folder.
