"""The local Hub: an embedded Hub-compatible server for the real Hugging Face clients, on loopback or for a team.

Repos, commits, refs, users, Space settings, discussions and collections live in SQLite; file contents live in a
content-addressed folder beside it. It answers the routes that huggingface_hub, datasets, transformers and peft call.
Not here: downloads by Xet, buckets, and running Spaces.
"""
