"""The tables of discussions and pull requests."""

SCHEMA = """
-- `base`, `base_sha` and `merge_sha` are of pull requests alone.
CREATE TABLE IF NOT EXISTS discussions (
    repo INTEGER NOT NULL REFERENCES repos ON DELETE CASCADE,
    num INTEGER NOT NULL,
    title TEXT NOT NULL,
    status TEXT NOT NULL,
    author TEXT NOT NULL,
    created_at TEXT NOT NULL,
    base TEXT,
    base_sha TEXT,
    merge_sha TEXT,
    PRIMARY KEY (repo, num)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS discussion_events (
    id TEXT PRIMARY KEY,
    repo INTEGER NOT NULL REFERENCES repos ON DELETE CASCADE,
    num INTEGER NOT NULL,
    type TEXT NOT NULL,
    author TEXT NOT NULL,
    created_at TEXT NOT NULL,
    data TEXT NOT NULL
);
"""
