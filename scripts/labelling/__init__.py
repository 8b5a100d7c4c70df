"""Collect people's votes on two lines for one pair: the items, the page, where votes are kept and published."""
