//! items: government service items in versions; see the modules.
