//! keyquay-server: the sync server, in three roles
