"""The room behind `hanjul space`: what a Space repo holds, and where it may live."""
