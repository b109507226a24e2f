"""What makes new networks: losses, augmentation, growth and the loop of GAN training."""
