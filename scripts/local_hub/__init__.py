"""The local Hub: an embedded Hub-compatible server on loopback for the real Hugging Face clients.

Repos, commits, refs, Space settings and collections live in SQLite; file contents live in a content-addressed
folder beside it. It answers the routes that huggingface_hub, datasets, transformers and peft call.
Not here: pull requests, discussions, likes, Xet, and running Spaces.
"""
