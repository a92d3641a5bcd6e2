"""A linear head on the features of a frozen backbone."""
