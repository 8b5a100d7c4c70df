"""What visitors of the demo say of its lines: their votes, and the preferences that follow from them."""
