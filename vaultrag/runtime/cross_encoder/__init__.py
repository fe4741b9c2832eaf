"""Networks that read two texts at once, and what they are asked."""
