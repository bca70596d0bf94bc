"""Two small tables of invented people, for the story of `pdp demo`. See LICENSE.txt."""
