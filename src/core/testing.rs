//! In-memory ports for the tests of doors.
