"""Parts of pictures, found in activations without labels: clusters, what channels contribute to them, their catalog."""
