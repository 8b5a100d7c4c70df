"""What to write about: products, values, devices and tones, planned or proposed."""
