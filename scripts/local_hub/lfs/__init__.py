"""The LFS files of a repo: which its history has, and how they leave it."""
