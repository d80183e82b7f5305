-- Format 1. Everything that a person wrote is sealed; ids are random, names are names of this program.

-- What is needed before anything is unlocked: see header.rs.
CREATE TABLE header (
    id       INTEGER PRIMARY KEY CHECK (id = 1),
    body     BLOB NOT NULL,
    checksum BLOB NOT NULL
) STRICT;

-- How many records there are and which, sealed: see inventory.rs.
CREATE TABLE inventory (
    id     INTEGER PRIMARY KEY CHECK (id = 1),
    sealed BLOB NOT NULL
) STRICT;

-- Local accounts, their versions, named records; the sealing key, the Secret Key, edits not yet sent.
CREATE TABLE record (
    id       BLOB PRIMARY KEY,
    kind     INTEGER NOT NULL,
    owner    BLOB,
    revision INTEGER NOT NULL,
    sealed   BLOB NOT NULL
) STRICT;
CREATE INDEX record_by_owner ON record (owner, revision) WHERE owner IS NOT NULL;

-- What would rest in the keyring, where there is none: sealed under the lock passphrase.
CREATE TABLE kept (
    name     TEXT PRIMARY KEY,
    sealed   BLOB NOT NULL,
    checksum BLOB NOT NULL
) STRICT;

-- Entries of the keyring that are to be erased.
CREATE TABLE erasure (
    name TEXT PRIMARY KEY
) STRICT;

-- The log and its blobs as received.
CREATE TABLE entry (
    seq       INTEGER PRIMARY KEY,
    payload   BLOB NOT NULL,
    signature BLOB NOT NULL,
    hash      BLOB NOT NULL
) STRICT;
CREATE TABLE blob (
    hash       BLOB PRIMARY KEY,
    bytes      BLOB NOT NULL,
    superseded INTEGER
) STRICT;
CREATE INDEX blob_by_age ON blob (superseded) WHERE superseded IS NOT NULL;

-- The log's head and snapshot, sealed under a key of the device's signing key; the recovery record as received.
CREATE TABLE log (
    name  TEXT PRIMARY KEY,
    bytes BLOB NOT NULL
) STRICT;
