"""The model that ships with the package: the data it is trained on, its training, and its measurements."""
