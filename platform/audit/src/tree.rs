//! The tree as pure functions over tiles: how leaves are added, which tiles a root or a proof
//! needs, and what it then is. No store here; hashes and indices only.

use sha2::Digest as _;
use std::collections::{BTreeMap, BTreeSet};
use store::audit_tree::TileId;

/// A hash of either digest.
pub type Hash = [u8; 32];
/// Tiles by where they stand.
pub(crate) type Tiles = BTreeMap<TileId, Vec<u8>>;
/// A stretch of leaves, from and up to (not with).
pub(crate) type Stretch = (u64, u64);

/// Hashes of one tile, as a power of two: levels of the tree a level of tiles spans.
const HEIGHT: u8 = 8;
const WIDTH: u64 = 1 << HEIGHT;
/// Bytes of a hash.
const BYTES: usize = 32;

/// The digest of a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Digest {
    /// FIPS 180-4.
    Sha256,
    /// GB/T 32905.
    Sm3,
}

impl Digest {
    /// Both; every entry is in both trees.
    pub const ALL: [Digest; 2] = [Digest::Sha256, Digest::Sm3];

    /// The word in files and in the store.
    pub fn word(self) -> &'static str {
        ["sha256", "sm3"][self as usize]
    }

    fn of(self, parts: [&[u8]; 3]) -> Hash {
        match self {
            Digest::Sha256 => {
                let mut hasher = sha2::Sha256::new();
                parts.iter().for_each(|part| hasher.update(part));
                hasher.finalize().into()
            }
            Digest::Sm3 => {
                let mut hasher = sm3::Sm3::new();
                parts.iter().for_each(|part| hasher.update(part));
                hasher.finalize().into()
            }
        }
    }

    fn node(self, left: &Hash, right: &Hash) -> Hash {
        self.of([&[1], left, right])
    }
}

/// The hash of a leaf (RFC 6962, 2.1).
pub fn leaf(digest: Digest, bytes: &[u8]) -> Hash {
    digest.of([&[0], bytes, &[]])
}

/// The unfinished tile at the right end of each level of a tree of `size` leaves: what must be at
/// hand to add leaves.
pub(crate) fn edge(size: u64) -> Vec<TileId> {
    let mut found = vec![];
    for level in 0..8 {
        let there = size >> (level * HEIGHT);
        if there == 0 {
            break;
        }
        if !there.is_multiple_of(WIDTH) {
            found.push((level, there / WIDTH));
        }
    }
    found
}

/// Adds leaves to a tree of `size` whose [`edge`] is in `tiles`; answers the tiles that changed.
pub(crate) fn grow(
    digest: Digest,
    tiles: &mut Tiles,
    size: u64,
    leaves: &[Hash],
) -> BTreeSet<TileId> {
    let mut changed = BTreeSet::new();
    for (added, leaf) in leaves.iter().enumerate() {
        let (mut level, mut index, mut hash) = (0, size + added as u64, *leaf);
        loop {
            let id = (level, index / WIDTH);
            let tile = tiles.entry(id).or_default();
            tile.extend(hash);
            changed.insert(id);
            if tile.len() < WIDTH as usize * BYTES {
                break;
            }
            hash = fold(digest, tile);
            (level, index) = (level + 1, id.1);
        }
    }
    changed
}

/// The root over the hashes of a full subtree.
fn fold(digest: Digest, hashes: &[u8]) -> Hash {
    let mut row: Vec<Hash> = hashes.as_chunks::<BYTES>().0.to_vec();
    while row.len() > 1 {
        row = row
            .chunks(2)
            .map(|pair| match pair {
                [left, right] => digest.node(left, right),
                _ => pair[0],
            })
            .collect();
    }
    row.first().copied().unwrap_or([0; BYTES])
}

/// The largest power of two below `count`, which is at least 2.
fn split(count: u64) -> u64 {
    1 << (63 - (count - 1).leading_zeros())
}

/// Level of a stretch that is one full subtree.
fn full((from, to): Stretch) -> Option<u8> {
    let count = to - from;
    (count.is_power_of_two() && from.is_multiple_of(count)).then(|| count.trailing_zeros() as u8)
}

fn halves((from, to): Stretch) -> [Stretch; 2] {
    let middle = from + split(to - from);
    [(from, middle), (middle, to)]
}

/// The tile that holds what a full subtree is made of, and which hashes of it.
fn place(level: u8, index: u64) -> (TileId, std::ops::Range<usize>) {
    let below = level % HEIGHT;
    let first = index << below;
    let at = (first % WIDTH) as usize * BYTES;
    let long = (1usize << below) * BYTES;
    ((level / HEIGHT, first / WIDTH), at..at + long)
}

/// The tiles from which the hash of a stretch is computed.
pub(crate) fn needed(stretch: Stretch, found: &mut BTreeSet<TileId>) {
    if stretch.0 == stretch.1 {
        return;
    }
    match full(stretch) {
        Some(level) => {
            found.insert(place(level, stretch.0 >> level).0);
        }
        None => halves(stretch)
            .into_iter()
            .for_each(|half| needed(half, found)),
    }
}

/// The hash of a stretch (RFC 6962: MTH), or the tile that is missing or too short.
pub(crate) fn root(digest: Digest, tiles: &Tiles, stretch: Stretch) -> Result<Hash, TileId> {
    if stretch.0 == stretch.1 {
        return Ok(digest.of([&[], &[], &[]]));
    }
    let Some(level) = full(stretch) else {
        let [left, right] = halves(stretch);
        let (left, right) = (root(digest, tiles, left)?, root(digest, tiles, right)?);
        return Ok(digest.node(&left, &right));
    };
    let (id, range) = place(level, stretch.0 >> level);
    let hashes = tiles.get(&id).and_then(|tile| tile.get(range));
    hashes.map(|hashes| fold(digest, hashes)).ok_or(id)
}

/// The stretches whose hashes prove that a leaf is in a tree (RFC 6962: PATH), the lowest first.
pub(crate) fn inclusion(index: u64, size: u64) -> Vec<Stretch> {
    let mut found = vec![];
    let mut stretch = (0, size);
    while stretch.1 - stretch.0 > 1 {
        let [left, right] = halves(stretch);
        let (inside, beside) = if index < left.1 {
            (left, right)
        } else {
            (right, left)
        };
        found.push(beside);
        stretch = inside;
    }
    found.reverse();
    found
}

/// The stretches whose hashes prove that a tree grew out of an older one (RFC 6962: PROOF).
pub(crate) fn consistency(old: u64, new: u64) -> Vec<Stretch> {
    let mut found = vec![];
    let mut stretch = (0, new);
    // Until a right half was entered, the old root is known to whoever checks.
    let mut known = true;
    while stretch.1 != old {
        let [left, right] = halves(stretch);
        if old <= left.1 {
            found.push(right);
            stretch = left;
        } else {
            found.push(left);
            stretch = right;
            known = false;
        }
    }
    if !known {
        found.push(stretch);
    }
    found.reverse();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(hash: &[u8]) -> String {
        hash.iter().map(|b| format!("{b:02x}")).collect()
    }

    /// The plain definition of RFC 6962, 2.1.
    fn definition(digest: Digest, leaves: &[Hash]) -> Hash {
        match leaves {
            [] => digest.of([&[], &[], &[]]),
            [one] => *one,
            _ => {
                let k = split(leaves.len() as u64) as usize;
                let (left, right) = leaves.split_at(k);
                digest.node(&definition(digest, left), &definition(digest, right))
            }
        }
    }

    fn leaves(digest: Digest, count: u64) -> Vec<Hash> {
        (0..count).map(|n| leaf(digest, &n.to_be_bytes())).collect()
    }

    /// The trees of eight leaves that the tests of Certificate Transparency publish.
    #[test]
    fn roots_as_certificate_transparency_publishes_them() {
        let inputs: [&[u8]; 8] = [
            &[],
            &[0x00],
            &[0x10],
            &[0x20, 0x21],
            &[0x30, 0x31],
            &[0x40, 0x41, 0x42, 0x43],
            &[0x50, 0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57],
            &[
                0x60, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x6b, 0x6c, 0x6d,
                0x6e, 0x6f,
            ],
        ];
        let expect = [
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
            "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
            "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
        ];
        let hashes: Vec<Hash> = inputs.iter().map(|i| leaf(Digest::Sha256, i)).collect();
        let mut tiles = Tiles::new();
        for (size, root_then) in expect.iter().enumerate() {
            let found = root(Digest::Sha256, &tiles, (0, size as u64)).unwrap();
            assert_eq!(hex(&found), *root_then, "{size} leaves");
            if size < 8 {
                grow(
                    Digest::Sha256,
                    &mut tiles,
                    size as u64,
                    &hashes[size..=size],
                );
            }
        }
    }

    #[test]
    fn tiles_give_the_root_of_every_size_however_they_grew() {
        for digest in Digest::ALL {
            let all = leaves(digest, 70_000);
            let mut tiles = Tiles::new();
            let mut size = 0;
            for step in [1, 254, 1, 1, 3, 252, 511, 1025, 40_000, 27_952] {
                // Only the edge is at hand, as it is after a restart.
                let mut near: Tiles = edge(size)
                    .into_iter()
                    .map(|id| (id, tiles[&id].clone()))
                    .collect();
                let more = &all[size as usize..(size + step) as usize];
                let changed = grow(digest, &mut near, size, more);
                for id in changed {
                    tiles.insert(id, near[&id].clone());
                }
                size += step;
                let mut asked = BTreeSet::new();
                needed((0, size), &mut asked);
                assert!(asked.len() <= 8, "{asked:?}");
                let few: Tiles = asked
                    .into_iter()
                    .map(|id| (id, tiles[&id].clone()))
                    .collect();
                let expect = definition(digest, &all[..size as usize]);
                assert_eq!(root(digest, &few, (0, size)), Ok(expect), "{size}");
            }
            // And of every smaller size, from the same tiles.
            for old in [
                0, 1, 2, 255, 256, 257, 511, 512, 65_535, 65_536, 65_537, 69_999,
            ] {
                let expect = definition(digest, &all[..old as usize]);
                assert_eq!(root(digest, &tiles, (0, old)), Ok(expect), "{old}");
            }
        }
    }

    /// Every proof of small trees is accepted by an implementation that is not ours.
    #[test]
    fn proofs_satisfy_a_foreign_verifier() {
        use ct_merkle::{ConsistencyProof, InclusionProof, RootHash};
        let count = 70u64;
        let all = leaves(Digest::Sha256, count);
        let mut tiles = Tiles::new();
        grow(Digest::Sha256, &mut tiles, 0, &all);
        let hash = |stretch| root(Digest::Sha256, &tiles, stretch).unwrap();
        let proof =
            |stretches: Vec<Stretch>| -> Vec<u8> { stretches.into_iter().flat_map(hash).collect() };
        for size in 1..=count {
            let top = RootHash::<sha2::Sha256>::new(hash((0, size)).into(), size);
            for index in 0..size {
                let bytes = proof(inclusion(index, size));
                let given = InclusionProof::try_from_bytes(bytes).unwrap();
                let value = index.to_be_bytes();
                top.verify_inclusion(&value.as_slice(), index, &given)
                    .unwrap();
                let other = (index + 1).to_be_bytes();
                assert!(
                    top.verify_inclusion(&other.as_slice(), index, &given)
                        .is_err()
                );
            }
            for old in 1..=size {
                let before = RootHash::<sha2::Sha256>::new(hash((0, old)).into(), old);
                let bytes = proof(consistency(old, size));
                let given = ConsistencyProof::try_from_bytes(bytes).unwrap();
                top.verify_consistency(&before, &given).unwrap();
            }
        }
    }

    #[test]
    fn a_tile_that_is_not_there_is_named() {
        let tiles = Tiles::new();
        assert_eq!(root(Digest::Sm3, &tiles, (0, 3)), Err((0, 0)));
        assert_eq!(root(Digest::Sm3, &tiles, (0, 65_536)), Err((2, 0)));
    }
}
