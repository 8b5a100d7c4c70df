"""The tables of users, organisations, tokens, access requests and likes."""

SCHEMA = """
-- Users and organisations: names are one space, as on the Hub.
CREATE TABLE IF NOT EXISTS accounts (
    name TEXT PRIMARY KEY COLLATE NOCASE,
    kind TEXT NOT NULL,
    fullname TEXT NOT NULL,
    private_by_default INTEGER NOT NULL,
    created_at TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS members (
    organisation TEXT NOT NULL COLLATE NOCASE REFERENCES accounts ON DELETE CASCADE,
    user TEXT NOT NULL COLLATE NOCASE REFERENCES accounts ON DELETE CASCADE,
    role TEXT NOT NULL,
    PRIMARY KEY (organisation, user)
) WITHOUT ROWID;
-- `hash` is the sha256 of a random token; the token itself is kept nowhere. `scopes` are of fine-grained ones alone.
CREATE TABLE IF NOT EXISTS tokens (
    hash TEXT PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    user TEXT NOT NULL COLLATE NOCASE REFERENCES accounts ON DELETE CASCADE,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    scopes TEXT NOT NULL,
    created_at TEXT NOT NULL,
    UNIQUE (user, name)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS access_requests (
    id TEXT PRIMARY KEY,
    repo INTEGER NOT NULL REFERENCES repos ON DELETE CASCADE,
    user TEXT NOT NULL COLLATE NOCASE,
    status TEXT NOT NULL,
    reason TEXT,
    granted INTEGER NOT NULL,
    fields TEXT NOT NULL,
    at TEXT NOT NULL,
    UNIQUE (repo, user)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS likes (
    repo INTEGER NOT NULL REFERENCES repos ON DELETE CASCADE,
    user TEXT NOT NULL COLLATE NOCASE,
    at TEXT NOT NULL,
    PRIMARY KEY (repo, user)
) WITHOUT ROWID;
"""
