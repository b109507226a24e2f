"""Speed as ratios against a plain reference in the same run; never part of the test suite."""
