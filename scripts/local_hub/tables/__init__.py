"""The tables of the rooms, apart from them: the store makes all, and each room uses the store."""
