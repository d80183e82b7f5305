use keyquay_crypto::Zeroizing;
use keyquay_protocol::{Item, ItemContent, ItemStatus};

use crate::session::EditKind;

/// What becomes of an edit, given what the log says of its item now.
pub(crate) enum Rebased {
    /// Put this content; `conflict` when another version stands beside it that its owner has not seen yet.
    Put {
        content: ItemContent,
        spilled: Vec<Version>,
        conflict: bool,
    },
    Delete,
    /// `unseen` is a version of another device that the owner's local copy does not have.
    Withdraw {
        unseen: Vec<Version>,
    },
    /// The other version is here and does not open: nothing is put over it, and the edit becomes a local account.
    KeepBeside(Version),
    /// Nothing is left to do: it is so already, or another device's edit beats this deletion.
    Drop,
}

type Version = Zeroizing<Vec<u8>>;

/// Most bytes of all versions in one item, well below the limit of a blob.
const MOST_BYTES: usize = 60 * 1024;

/// Rebases an edit made on revision `base`: the later of two edits becomes the current version and the other stands
/// beside it; an edit beats a deletion. What does not fit beside is spilled, never dropped.
pub(crate) fn rebase(
    kind: &EditKind,
    base: u64,
    item: Option<&Item>,
    current: Option<&ItemContent>,
) -> Rebased {
    let live = item.filter(|item| item.status == ItemStatus::Live);
    let is_unseen = item.is_some_and(|item| item.revision != base);
    match kind {
        EditKind::Withdraw if live.is_some() => {
            let theirs = current.filter(|_| is_unseen);
            let versions =
                theirs.into_iter().flat_map(|theirs| theirs.beside.iter().chain([&theirs.account]));
            Rebased::Withdraw { unseen: versions.cloned().collect() }
        }
        EditKind::Delete if live.is_some() && !is_unseen => Rebased::Delete,
        EditKind::Withdraw | EditKind::Delete => Rebased::Drop,
        EditKind::Put { account, beside } => {
            let theirs = current.filter(|_| live.is_some());
            if is_unseen && live.is_some() && theirs.is_none() {
                return Rebased::KeepBeside(account.clone());
            }
            if is_unseen && theirs.is_some_and(|theirs| theirs.account == *account) && beside.is_none() {
                return Rebased::Drop;
            }
            put(account, beside.as_deref(), theirs, is_unseen)
        }
    }
}

fn put(
    account: &Version,
    chosen: Option<&[Version]>,
    theirs: Option<&ItemContent>,
    is_unseen: bool,
) -> Rebased {
    let mut beside: Vec<Version> = Vec::new();
    let mut keep = |version: &Version| {
        if version != account && !beside.contains(version) {
            beside.push(version.clone());
        }
    };
    match chosen {
        // What stands beside a revision that the chooser has not seen was not chosen against.
        Some(chosen) if !is_unseen => chosen.iter().for_each(&mut keep),
        _ => theirs.into_iter().flat_map(|theirs| &theirs.beside).for_each(&mut keep),
    }
    let before = theirs.filter(|_| is_unseen);
    before.into_iter().for_each(|theirs| keep(&theirs.account));
    let spilled = spill(account.len(), &mut beside);
    let conflict = before.is_some() && !(beside.is_empty() && spilled.is_empty());
    Rebased::Put { content: ItemContent { account: account.clone(), beside }, spilled, conflict }
}

/// Takes out the oldest versions until the rest fits.
fn spill(account: usize, beside: &mut Vec<Version>) -> Vec<Version> {
    let mut spilled = Vec::new();
    let size = |beside: &[Version]| account + beside.iter().map(|version| version.len()).sum::<usize>();
    while !beside.is_empty() && (beside.len() > keyquay_protocol::MAX_BESIDE || size(beside) > MOST_BYTES) {
        spilled.push(beside.remove(0));
    }
    spilled
}

#[cfg(test)]
mod tests {
    use keyquay_protocol::DeviceId;

    use super::*;

    fn version(text: &str) -> Version {
        Zeroizing::new(text.as_bytes().to_vec())
    }

    fn item(revision: u64, status: ItemStatus) -> Item {
        Item { revision, epoch: 1, blob: [0; 32], author: DeviceId([1; 16]), seq: 2, time: 3, status }
    }

    fn content(account: &str, beside: &[&str]) -> ItemContent {
        ItemContent { account: version(account), beside: beside.iter().map(|text| version(text)).collect() }
    }

    fn edit(account: &str) -> EditKind {
        EditKind::Put { account: version(account), beside: None }
    }

    fn versions(rebased: Rebased) -> (ItemContent, usize, bool) {
        match rebased {
            Rebased::Put { content, spilled, conflict } => (content, spilled.len(), conflict),
            _ => panic!("the edit is not put"),
        }
    }

    #[test]
    fn an_edit_of_the_revision_it_was_made_on_replaces_it() {
        let live = item(3, ItemStatus::Live);
        let now = content("old", &[]);
        assert_eq!(
            versions(rebase(&edit("new"), 3, Some(&live), Some(&now))),
            (content("new", &[]), 0, false)
        );
    }

    #[test]
    fn the_later_of_two_edits_is_current_and_the_other_stands_beside_it() {
        let live = item(4, ItemStatus::Live);
        let now = content("theirs", &[]);
        let rebased = versions(rebase(&edit("ours"), 3, Some(&live), Some(&now)));
        assert_eq!(rebased, (content("ours", &["theirs"]), 0, true));
    }

    #[test]
    fn an_edit_that_is_there_already_is_not_sent_again() {
        let live = item(4, ItemStatus::Live);
        let now = content("same", &[]);
        assert!(matches!(rebase(&edit("same"), 3, Some(&live), Some(&now)), Rebased::Drop));
    }

    #[test]
    fn an_edit_beats_a_deletion_on_either_side() {
        let deleted = item(4, ItemStatus::Deleted);
        assert_eq!(versions(rebase(&edit("ours"), 3, Some(&deleted), None)).0, content("ours", &[]));
        let edited = item(4, ItemStatus::Live);
        let now = content("theirs", &[]);
        assert!(matches!(rebase(&EditKind::Delete, 3, Some(&edited), Some(&now)), Rebased::Drop));
        assert!(matches!(rebase(&EditKind::Delete, 4, Some(&edited), Some(&now)), Rebased::Delete));
    }

    #[test]
    fn a_choice_clears_what_stood_beside_but_not_what_it_had_not_seen() {
        let chosen = EditKind::Put { account: version("mine"), beside: Some(Vec::new()) };
        let now = content("theirs", &["mine"]);
        let seen = versions(rebase(&chosen, 5, Some(&item(5, ItemStatus::Live)), Some(&now)));
        assert_eq!(seen, (content("mine", &[]), 0, false));
        let unseen = versions(rebase(&chosen, 5, Some(&item(6, ItemStatus::Live)), Some(&now)));
        assert_eq!(unseen, (content("mine", &["theirs"]), 0, true));
    }

    #[test]
    fn nothing_is_put_over_a_version_that_does_not_open_here() {
        let live = item(4, ItemStatus::Live);
        assert!(matches!(rebase(&edit("ours"), 3, Some(&live), None), Rebased::KeepBeside(_)));
    }

    #[test]
    fn a_withdrawal_keeps_the_version_that_its_owner_has_not_seen() {
        let now = content("theirs", &["beside"]);
        let live = item(4, ItemStatus::Live);
        let Rebased::Withdraw { unseen } = rebase(&EditKind::Withdraw, 3, Some(&live), Some(&now)) else {
            panic!("it is withdrawn");
        };
        assert_eq!(unseen, [version("beside"), version("theirs")]);
        let seen = rebase(&EditKind::Withdraw, 4, Some(&live), Some(&now));
        assert!(matches!(seen, Rebased::Withdraw { unseen } if unseen.is_empty()));
    }

    #[test]
    fn versions_that_do_not_fit_are_spilled_and_none_is_lost() {
        let now = content("theirs", &["a", "b", "c", "d"]);
        let (content, spilled, _) =
            versions(rebase(&edit("ours"), 1, Some(&item(2, ItemStatus::Live)), Some(&now)));
        assert_eq!((content.beside.len(), spilled), (4, 1));
    }
}
