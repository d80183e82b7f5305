//! What travels: the signed log, its state machine, wire types and problem codes
