"""A data set that aimonk draws itself, with all the flaws of a real one."""
