"""Training of the small networks that this repository ships: never part of the package."""
