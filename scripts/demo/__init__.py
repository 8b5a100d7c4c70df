"""The room behind `hanjul space`: what a Space repo holds, where it may run, and whether it does."""
