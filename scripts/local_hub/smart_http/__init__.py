"""Git's own protocol over HTTP, for `git clone` and `git fetch`."""
