"""The pages about the star that are made from the project itself: its data dictionary and its diagrams."""
