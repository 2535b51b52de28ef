"""Model cards from what was measured and recorded. No figure in them is typed by hand, and no author's text is lost."""
