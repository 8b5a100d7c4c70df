"""The tables of webhooks, and of what is still to be delivered."""

SCHEMA = """
-- `secret` goes out with each delivery, which is why it is kept as it is.
CREATE TABLE IF NOT EXISTS webhooks (
    id TEXT PRIMARY KEY,
    user TEXT NOT NULL COLLATE NOCASE,
    url TEXT NOT NULL,
    watched TEXT NOT NULL,
    domains TEXT NOT NULL,
    secret TEXT,
    disabled INTEGER NOT NULL,
    created_at TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS deliveries (
    id INTEGER PRIMARY KEY,
    webhook TEXT NOT NULL REFERENCES webhooks ON DELETE CASCADE,
    payload TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    due REAL NOT NULL
);
"""
