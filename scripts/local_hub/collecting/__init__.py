"""Collections in the database: named lists of repos, papers and other collections."""
