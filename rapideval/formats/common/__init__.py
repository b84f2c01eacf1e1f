"""What the formats of tools and trainers share: documents, names, outlines, pictures."""
